#!/usr/bin/env bash
# Runs a PostgreSQL server of its own, in the foreground, from the installed
# binaries: run-postgres.sh DIRECTORY PORT [quick|durable]
#
# The directory is created by the caller and holds everything: data, socket.
# A directory that already holds data is started again with that data.
# "quick" does not wait for the disk (what a killed process wrote survives, what
# a killed machine wrote does not); "durable" does, for measurements.
#
# PostgreSQL refuses to run as root, so root hands over to another user. The
# script ends in exec: its process id is the server's.
set -euo pipefail

directory=$1
port=$2
durability=${3:-quick}

binaries=
for candidate in $(printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin | sort -rV); do
    if [ -x "$candidate/postgres" ]; then
        binaries=$candidate
        break
    fi
done
if [ -z "$binaries" ] && command -v postgres >/dev/null; then
    binaries=$(dirname "$(command -v postgres)")
fi
if [ -z "$binaries" ]; then
    echo "PostgreSQL is not installed (Debian: apt-get install postgresql)." >&2
    exit 1
fi

as_server=()
if [ "$(id -u)" = 0 ]; then
    user=nobody
    if getent passwd postgres >/dev/null; then user=postgres; fi
    as_server=(setpriv "--reuid=$user" "--regid=$(id -g "$user")" --clear-groups)
    chown "$user" "$directory"
fi
# The server's user may not be allowed to enter the directory we were called in.
cd "$directory"

if [ ! -s data/PG_VERSION ]; then
    "${as_server[@]}" "$binaries/initdb" --pgdata=data --username=uzel --auth=trust \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync
fi

settings=(
    -c listen_addresses=127.0.0.1
    -c "port=$port"
    -c "unix_socket_directories=$directory"
    -c max_connections=300
    -c shared_buffers=128MB
)
if [ "$durability" = quick ]; then
    settings+=(-c fsync=off -c full_page_writes=off)
fi
exec "${as_server[@]}" "$binaries/postgres" -D data "${settings[@]}"
