#!/usr/bin/env bash
# Writes the generated files again. They are committed and never edited.
# With --check: fails when that changes anything.
#
# The Rust side consists of tests named `generated_...`: each compares a document with
# its file, and with UZEL_REGEN=1 it writes the file instead.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_nextest
need_node
npm_packages web
mkdir -p web/dist

fingerprint() {
    if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . \( -name target -o -name node_modules -o -name dist -o -name test-results \) -prune -o -type f -print0
    fi | sort -z | xargs -0 sha256sum 2>/dev/null || true
}

before=$(fingerprint)
UZEL_REGEN=1 cargo nextest run --workspace --locked --no-tests pass -E 'test(/(^|::)generated_/)'
npm --prefix web run --if-present regen
after=$(fingerprint)

if [ "$before" = "$after" ]; then
    echo "Generated files are fresh."
    exit
fi
echo "Changed:"
diff <(echo "$before") <(echo "$after") | sed -n 's/^[<>] [0-9a-f]*  /  /p' | sort -u
if [ "${1:-}" = --check ]; then
    stop "Generated files were stale; they are written now. Look at them and commit them."
fi
