#!/usr/bin/env bash
# Runs a Redis server of its own, in the foreground, from the installed binary:
# run-redis.sh DIRECTORY PORT [tls]
#
# Nothing is written to disk: the hub keeps nothing in Redis that may not vanish.
# With `tls` it speaks TLS and nothing else, under a certificate that the authority vouches for
# whose own is in authority.pem.
# The script ends in exec: its process id is the server's.
set -euo pipefail

directory=$1
port=$2

listen=(--port "$port")
if [ "${3:-}" = tls ]; then
    cd "$directory"
    key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)
    if [ ! -e server.pem ]; then
        openssl req -x509 "${key[@]}" -days 2 -subj /CN=authority -keyout authority.key -out authority.pem
        openssl req "${key[@]}" -subj /CN=redis -keyout server.key -out server.request
        openssl x509 -req -in server.request -CA authority.pem -CAkey authority.key -days 2 \
            -extfile <(echo subjectAltName=IP:127.0.0.1) -out server.pem
    fi
    listen=(--port 0 --tls-port "$port" --tls-auth-clients no --tls-ca-cert-file authority.pem
        --tls-cert-file server.pem --tls-key-file server.key)
fi

for name in redis-server valkey-server; do
    if command -v "$name" >/dev/null; then
        exec "$name" "${listen[@]}" --bind 127.0.0.1 --dir "$directory" --save '' --appendonly no
    fi
done
echo "Redis is not installed (Debian: apt-get install redis-server)." >&2
exit 1
