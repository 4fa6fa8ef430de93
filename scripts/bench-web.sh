#!/usr/bin/env bash
# Measures the interface in a real browser on the optimised binary, on a demo with 100,000 further chats
# (UZEL_BENCH_CROWD), and writes the table of docs/benchmarks-web.md. UZEL_BIN measures another binary.
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_browser
need_packages sqlite3:sqlite3
build_web
npm_packages tests/e2e
if [ -z "${UZEL_BIN:-}" ]; then
    say "Building the optimised binary with its simulator"
    cargo build --release --locked -p hub-server --bin uzel
    UZEL_BIN=$target/release/uzel
fi
export UZEL_BIN
UZEL_BENCH_WRITE=${UZEL_BENCH_WRITE-1} UZEL_CHROMIUM=$UZEL_TEST_CHROMIUM \
    npx --prefix tests/e2e playwright test --config tests/e2e/bench.config.ts "$@"
