#!/usr/bin/env bash
# Formats Rust and the interface.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_rust_components
need_node
cargo fmt --all
npm_packages web
npm --prefix web run --if-present format
