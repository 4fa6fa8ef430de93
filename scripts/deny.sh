#!/usr/bin/env bash
# cargo-deny: bans, licences and sources of the crates. Needs the network only the first time.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_cargo_deny
need_crates
cargo deny --workspace --offline check bans licenses sources
