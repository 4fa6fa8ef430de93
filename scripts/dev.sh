#!/usr/bin/env bash
# The product with reload on change: a simulated Telegram, the server (built and
# started again when Rust, SQL or configuration change) and Vite for the interface.
# The data are kept apart from those of `make run`: ./data/dev.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

export UZEL_SERVER__BIND=${UZEL_SERVER__BIND:-127.0.0.1:8080}
# Links lead to Vite: what it serves is what is being changed.
export UZEL_SERVER__PUBLIC_URL=${UZEL_SERVER__PUBLIC_URL:-http://127.0.0.1:5173}
export UZEL_SERVER__DATA_DIR=${UZEL_SERVER__DATA_DIR:-$project/data/dev}
export UZEL_PROVIDERS__TELEGRAM__API_URL=${UZEL_PROVIDERS__TELEGRAM__API_URL:-http://127.0.0.1:8081}

need_rust
need_node
npm_packages web
mkdir -p web/dist "$UZEL_SERVER__DATA_DIR"

server=
others=()
finish() {
    trap - EXIT INT TERM
    local pid
    for pid in $server "${others[@]}"; do kill -TERM "$pid" 2>/dev/null || true; done
    wait
}
trap finish EXIT
trap 'exit 0' INT TERM

build() { cargo build --locked -p hub-server --bin uzel; }

# The newest change among what the binary is made of.
newest() {
    find Cargo.toml Cargo.lock hub channels migrations config tests/simulator -type f -printf '%T@ %p\n' |
        sort -n | tail -n 1
}

say "Building the server"
build
if [ "$UZEL_PROVIDERS__TELEGRAM__API_URL" = http://127.0.0.1:8081 ]; then
    "$target/debug/uzel" simulator &
    others+=($!)
fi
# Not through npm, which ends without its child.
(cd web && UZEL_DEV_SERVER=http://$UZEL_SERVER__BIND exec node_modules/.bin/vite) &
others+=($!)

while :; do
    seen=$(newest)
    "$target/debug/uzel" serve &
    server=$!
    while :; do
        sleep 1
        [ "$(newest)" != "$seen" ] || continue
        seen=$(newest)
        say "Changed: ${seen#* }"
        if build; then break; fi
        say "The build failed; the old server goes on"
    done
    kill -TERM "$server" 2>/dev/null || true
    wait "$server" || true
done
