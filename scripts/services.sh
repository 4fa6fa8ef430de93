# shellcheck shell=bash
# PostgreSQL and Redis of our own, for the scripts that need them around a command.
# Sourced. start_services DIRECTORY exports UZEL_TEST_POSTGRES_URL and
# UZEL_TEST_REDIS_URL unless they are set already; stop_services ends what was started.

service_scripts=$(cd "$(dirname "${BASH_SOURCE[0]}")/../tests/support" && pwd)
service_pids=()

free_port() {
    local port
    while :; do
        # Below the range from which the kernel hands out ports for connections.
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}

# run_service NAME DIRECTORY READY_FUNCTION SCRIPT [ARGUMENT...]: sets service_port.
run_service() {
    local name=$1 directory=$2 ready=$3 script=$4 pid deadline
    shift 4
    mkdir -p "$directory"
    for _ in 1 2 3; do
        service_port=$(free_port)
        # A group of its own: Ctrl-C at the terminal is for the command, not for them.
        setsid "$script" "$directory" "$service_port" "$@" \
            </dev/null >"$directory.log" 2>&1 3>&- &
        pid=$!
        deadline=$((SECONDS + 60))
        while [ $SECONDS -lt $deadline ] && is_running "$pid"; do
            if "$ready" "$directory" "$service_port" "$pid"; then
                service_pids+=("$pid")
                return
            fi
            sleep 0.05
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    echo "$name did not start:" >&2
    cat "$directory.log" >&2
    return 1
}

postgres_is_ready() {
    [ "$(sed -n 8p "$1/data/postmaster.pid" 2>/dev/null | tr -d ' ')" = ready ]
}

redis_is_ready() {
    local answer=
    { exec 4<>"/dev/tcp/127.0.0.1/$2"; } 2>/dev/null || return 1
    printf 'PING\r\n' >&4
    read -r -t 1 answer <&4 || true
    exec 4>&-
    [ "${answer%$'\r'}" = +PONG ]
}

start_services() {
    local directory=$1
    chmod 755 "$directory"
    if [ -z "${UZEL_TEST_POSTGRES_URL:-}" ]; then
        run_service PostgreSQL "$directory/postgres" postgres_is_ready "$service_scripts/run-postgres.sh"
        export UZEL_TEST_POSTGRES_URL="postgres://uzel@127.0.0.1:$service_port/postgres"
    fi
    if [ -z "${UZEL_TEST_REDIS_URL:-}" ]; then
        run_service Redis "$directory/redis" redis_is_ready "$service_scripts/run-redis.sh"
        export UZEL_TEST_REDIS_URL="redis://127.0.0.1:$service_port"
    fi
}

# A process that ended and was not waited for yet counts as gone.
is_running() {
    local state
    state=$(ps -o stat= -p "$1") && [ "${state#Z}" = "$state" ]
}

stop_services() {
    local pid
    for pid in "${service_pids[@]}"; do
        # QUIT ends PostgreSQL at once, TERM ends Redis; the directory is thrown away.
        kill -QUIT "$pid" 2>/dev/null || true
        kill -TERM "$pid" 2>/dev/null || true
    done
    for pid in "${service_pids[@]}"; do
        while is_running "$pid"; do sleep 0.05; done
    done
    service_pids=()
}
