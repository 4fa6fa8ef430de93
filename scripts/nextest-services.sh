#!/usr/bin/env bash
# Setup script of nextest: one PostgreSQL and one Redis for the run. They are stopped
# by a watcher as soon as the runner, whose child this script is, has ended.
set -euo pipefail

if [ -n "${UZEL_TEST_POSTGRES_URL:-}" ] && [ -n "${UZEL_TEST_REDIS_URL:-}" ]; then
    exit 0
fi

# shellcheck source=scripts/services.sh
source "$(dirname "${BASH_SOURCE[0]}")/services.sh"

runner=$PPID
directory=$(mktemp -d /tmp/uzel-services-XXXXXX)
start_services "$directory"
{
    echo "UZEL_TEST_POSTGRES_URL=$UZEL_TEST_POSTGRES_URL"
    echo "UZEL_TEST_REDIS_URL=$UZEL_TEST_REDIS_URL"
} >>"$NEXTEST_ENV"

watch_runner() {
    while is_running "$runner"; do sleep 0.2; done
    stop_services
    rm -rf "$directory"
}
export -f watch_runner is_running stop_services
export runner directory
# shellcheck disable=SC2016 # expanded by the inner shell
service_pid_list="${service_pids[*]}" setsid bash -c '
    read -ra service_pids <<<"$service_pid_list"
    watch_runner
' </dev/null >/dev/null 2>&1 &
