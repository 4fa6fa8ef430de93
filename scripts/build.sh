#!/usr/bin/env bash
# The release binary with the interface inside.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
build_web
say "Building the release binary"
cargo build --release --locked -p hub-server --bin uzel --no-default-features
ls -lh "$target/release/uzel"
