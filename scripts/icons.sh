#!/usr/bin/env bash
# Draws the icons of the installed app from the tile (web/public/favicon.svg). The results are committed:
# this runs only when the mark changes. Needs rsvg-convert (Debian: librsvg2-bin).
set -euo pipefail
cd "$(dirname "$0")/.."

tile=web/public/favicon.svg
out=web/public/icons
mkdir -p "$out"

rsvg-convert -w 192 -h 192 "$tile" -o "$out/192.png"
rsvg-convert -w 512 -h 512 "$tile" -o "$out/512.png"
# iOS rounds the corners itself.
sed 's/ rx="8"//' "$tile" | rsvg-convert -w 180 -h 180 -o "$out/apple-touch-180.png"
# Full-bleed, the mark within the middle 60 %: whatever shape the system cuts, the mark stays whole.
sed -e 's/viewBox="0 0 32 32"/viewBox="-5.3 -5.3 42.6 42.6"/' \
    -e 's|<rect width="32" height="32" rx="8"|<rect x="-6" y="-6" width="44" height="44"|' "$tile" |
    rsvg-convert -w 512 -h 512 -o "$out/maskable-512.png"
