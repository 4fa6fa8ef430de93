#!/usr/bin/env bash
# cargo-deny: bans, licences and sources of the crates, without the network.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
if ! command -v cargo-deny >/dev/null; then
    say "Installing cargo-deny (some minutes, once)"
    cargo install --locked cargo-deny
fi
cargo deny --workspace --offline check bans licenses sources
