#!/usr/bin/env bash
# Measures the release binary over loopback sockets, against limits measured in the
# same run. Arguments go to the benchmark: scripts/bench.sh --help
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

[ -d tests/bench ] || stop "The benchmark (tests/bench) is not part of this tree."
need_rust
need_test_services
build_web
say "Building the release binary and the benchmark"
cargo build --release --locked -p hub-server --bin uzel --no-default-features
cargo build --release --locked -p hub-bench
# Ten thousand sessions need as many files on each side.
ulimit -n "$(ulimit -Hn)" || true
UZEL_BIN=$target/release/uzel exec "$target/release/hub-bench" "$@"
