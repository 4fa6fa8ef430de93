#!/usr/bin/env bash
# Every check there is, or the parts named: scripts/test.sh [PART...]
# Stops at the first part that fails and names it; ends with a table of times.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

parts=(setup format deps web clippy rust generated browser)
logs=$target/test-logs

# Each part is a process of its own, so that `set -e` holds inside it.

# What the other parts need, asked for at the beginning and not after ten minutes.
part_setup() {
    need_rust
    need_rust_components
    need_node
    need_test_services
    need_browser
    need_nextest
    cargo --version
    cargo nextest --version | head -n 1
    echo "node $(node --version), npm $(npm --version)"
    echo "$UZEL_TEST_CHROMIUM, $(psql --version), $(redis-server --version | cut -d ' ' -f 1-3)"
}

part_format() {
    need_rust
    need_rust_components
    cargo fmt --all --check
    local scripts=(scripts/*.sh tests/support/*.sh .ci/run) script
    for script in "${scripts[@]}"; do bash -n "$script"; done
    if command -v node >/dev/null; then node scripts/check-links.mjs; fi
    if command -v shellcheck >/dev/null; then shellcheck -x "${scripts[@]}"; fi
}

part_deps() {
    need_rust
    need_node
    node scripts/check-dependencies.mjs
    if command -v cargo-deny >/dev/null && have_crates; then
        scripts/deny.sh
    else
        echo "cargo-deny or what it reads is not here: only our own check ran (make deny gets it)."
    fi
}

part_web() {
    build_web
    npm --prefix web run check
    npm --prefix web run lint
    npm --prefix web run test
}

part_clippy() {
    need_rust
    need_rust_components
    mkdir -p web/dist
    cargo clippy --workspace --all-targets --locked -- -D warnings
}

part_rust() {
    need_rust
    need_nextest
    need_test_services
    mkdir -p web/dist
    build_rust
    cargo nextest run --workspace --locked --profile ci
}

# The tests of a whole product start the binary; one build serves them all.
build_rust() {
    cargo build --workspace --bins --tests --locked
}

part_generated() {
    scripts/regen.sh --check
}

part_browser() {
    need_rust
    need_browser
    need_test_services
    build_web
    need_packages sqlite3:sqlite3
    npm_packages tests/e2e
    build_rust
    UZEL_BIN=$target/debug/uzel npm --prefix tests/e2e test
}

if [ "${1:-}" = --part ]; then
    "part_$2"
    exit
fi

if [ $# -gt 0 ]; then parts=("$@"); fi
for part in "${parts[@]}"; do
    declare -F "part_$part" >/dev/null || stop "There is no part \"$part\" of the tests."
done
mkdir -p "$logs"
if [ -t 1 ]; then export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-always}; fi

failed=
table=()
started=$SECONDS
for part in "${parts[@]}"; do
    say "Part $part"
    part_started=$SECONDS
    result=passed
    "$project/scripts/test.sh" --part "$part" 2>&1 | tee "$logs/$part.log" || result=FAILED
    counts=$(sed 's/\x1b\[[0-9;]*m//g' "$logs/$part.log" |
        grep -E '^ *(Summary \[|Tests +[0-9]|[0-9]+ passed)' | tail -n 1 | sed 's/^ *//; s/Summary \[[^]]*\] *//; s/^Tests */tests: /' || true)
    table+=("$(printf '  %-10s %-7s %4d s  %s' "$part" "$result" $((SECONDS - part_started)) "$counts")")
    if [ "$result" = FAILED ]; then
        failed=$part
        break
    fi
done

say "Times"
printf '%s\n' "${table[@]}"
printf '  %-10s %-7s %4d s\n' total '' $((SECONDS - started))
if [ -n "$failed" ]; then
    stop "Part \"$failed\" FAILED. Again alone: scripts/test.sh $failed"
fi
echo
echo "All checks passed."
