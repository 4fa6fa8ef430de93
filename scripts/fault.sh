#!/usr/bin/env bash
# The long crash test: the real binary is killed under load, many times, on both
# engines. The short version is part of `make test`.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_nextest
need_test_services
mkdir -p web/dist
cargo build --workspace --bins --tests --locked
cargo nextest run --workspace --locked --profile fault "$@"
