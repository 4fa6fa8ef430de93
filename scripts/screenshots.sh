#!/usr/bin/env bash
# Takes pictures of every screen of a demo whose clients wait to be written to: all of them into
# target/screenshots, those that README and guide show into docs/images (UZEL_PICTURES_SHOWN=1: only those).
set -euo pipefail
# shellcheck source=scripts/project.sh
source "$(dirname "${BASH_SOURCE[0]}")/project.sh"

need_rust
need_browser
need_packages "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf:fonts-noto-color-emoji"
build_web
npm_packages tests/e2e
cargo build --locked -p hub-server --bin uzel
UZEL_BIN=${UZEL_BIN:-$target/debug/uzel} UZEL_CHROMIUM=$UZEL_TEST_CHROMIUM \
    npx --prefix tests/e2e playwright test --config tests/e2e/pictures.config.ts "$@"
say "Pictures: target/screenshots, docs/images"
