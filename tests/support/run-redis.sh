#!/usr/bin/env bash
# Runs a Redis server of its own, in the foreground, from the installed binary:
# run-redis.sh DIRECTORY PORT
#
# Nothing is written to disk: the hub keeps nothing in Redis that may not vanish.
# The script ends in exec: its process id is the server's.
set -euo pipefail

directory=$1
port=$2

for name in redis-server valkey-server; do
    if command -v "$name" >/dev/null; then
        exec "$name" --bind 127.0.0.1 --port "$port" --dir "$directory" --save '' --appendonly no
    fi
done
echo "Redis is not installed (Debian: apt-get install redis-server)." >&2
exit 1
