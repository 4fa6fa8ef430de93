#!/usr/bin/env bash
# Installs what is missing, builds, and serves a sample company beside a simulated messenger: clients write and
# answer, nobody needs an account anywhere. Data in ./data/demo, afresh each time unless KEEP is set.
# Arguments go to `uzel demo`.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

export UZEL_SERVER__BIND=${UZEL_SERVER__BIND:-127.0.0.1:8080}

need_rust
need_node
need_free_address "$UZEL_SERVER__BIND" demo
build_web
say "Building the server (the first time takes some minutes)"
cargo build --locked -p hub-server --bin uzel
say "Playing the past weeks of the sample company (some seconds)"
exec "$target/debug/uzel" demo ${KEEP:+--keep} "$@"
