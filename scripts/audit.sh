#!/usr/bin/env bash
# Known advisories of crates and npm packages. Asks the network.
# Ends with 1 when there are advisories, with 2 when a source of them could not be asked.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_node
need_cargo_deny
need_crates
found=() unasked=()

say "Crates"
if ! cargo deny --workspace fetch db; then
    unasked+=("crates")
elif ! cargo deny --workspace check --disable-fetch advisories; then
    found+=("crates")
fi

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
for directory in web tests/e2e; do
    [ -e "$directory/package-lock.json" ] || continue
    say "npm packages of $directory"
    if npm --prefix "$directory" audit 2>&1 | tee "$answer"; then continue; fi
    # npm fails in the same way for what it found and for what it could not ask.
    if grep -q 'vulnerabilit' "$answer"; then
        found+=("npm packages of $directory")
    else
        unasked+=("npm packages of $directory")
    fi
done

printf '\n'
for what in "${found[@]}"; do echo "There are advisories about $what: see above."; done
for what in "${unasked[@]}"; do
    echo "NOT CHECKED: advisories about $what could not be asked for. Is there a way to the network?"
done
[ ${#found[@]} -eq 0 ] || exit 1
[ ${#unasked[@]} -eq 0 ] || exit 2
echo "No advisories are known."
