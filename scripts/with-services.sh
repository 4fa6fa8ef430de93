#!/usr/bin/env bash
# Runs a command with a PostgreSQL and a Redis of its own:
#   scripts/with-services.sh COMMAND [ARGUMENT...]
# The command finds them in UZEL_TEST_POSTGRES_URL and UZEL_TEST_REDIS_URL.
set -euo pipefail

# shellcheck source=scripts/services.sh
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"

directory=$(mktemp -d /tmp/uzel-services-XXXXXX)
cleanup() {
    stop_services
    rm -rf "$directory"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

start_services "$directory"
"$@"
