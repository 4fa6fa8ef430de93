#!/usr/bin/env bash
# Known advisories of crates and npm packages. Asks the network.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_node
if ! command -v cargo-deny >/dev/null; then
    say "Installing cargo-deny (some minutes, once)"
    cargo install --locked cargo-deny
fi
result=0
cargo deny --workspace check advisories || result=1
for directory in web tests/e2e; do
    [ -e "$directory/package-lock.json" ] || continue
    say "npm packages of $directory"
    npm --prefix "$directory" audit || result=1
done
exit $result
