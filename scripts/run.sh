#!/usr/bin/env bash
# Installs what is missing, builds interface and server, and serves the product on the
# embedded default: SQLite, in-process bus, local files below ./data.
# Arguments go to `uzel serve`.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

export UZEL_SERVER__BIND=${UZEL_SERVER__BIND:-127.0.0.1:8080}
export UZEL_SERVER__DATA_DIR=${UZEL_SERVER__DATA_DIR:-$project/data}

need_rust
need_node
need_free_address "$UZEL_SERVER__BIND" run
build_web
say "Building the server (the first time takes some minutes)"
cargo build --locked -p hub-server --bin uzel
say "Serving at http://$UZEL_SERVER__BIND with the data in $UZEL_SERVER__DATA_DIR; Ctrl-C stops it"
exec "$target/debug/uzel" serve "$@"
