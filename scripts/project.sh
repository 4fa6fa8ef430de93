# shellcheck shell=bash
# What every script of the project starts with. Sourced: goes to the root of the
# project and knows what may be missing on this machine and how to get it.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
project=$PWD
# shellcheck disable=SC2034 # used by the scripts that source this
target=${CARGO_TARGET_DIR:-$project/target}

# rustup puts cargo here; a shell opened before that does not know it yet.
if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH=$HOME/.cargo/bin:$PATH
fi
# Playwright drives the Chromium of the system.
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1

say() { printf '\n==> %s\n' "$*"; }

stop() {
    printf '\n%s\n' "$@" >&2
    exit 1
}

# at_least HAVE WANT: compares version numbers.
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

need_rust() {
    local want have
    want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    local how="Get it with rustup (https://rustup.rs), which needs no root:
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y"
    command -v cargo >/dev/null || stop "Rust is missing; version $want or newer is needed." "$how"
    have=$(rustc --version | cut -d ' ' -f 2)
    at_least "$have" "$want" ||
        stop "Rust $have is too old; version $want or newer is needed." "$how" \
            "If you have rustup already: rustup update stable"
    need_packages cc:build-essential
}

# Only the checks need these; a minimal toolchain comes without them.
need_rust_components() {
    if cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1; then return; fi
    command -v rustup >/dev/null || stop "rustfmt and Clippy are missing; install the components of your Rust."
    say "Adding rustfmt and Clippy"
    rustup component add rustfmt clippy
}

need_nextest() {
    if cargo nextest --version >/dev/null 2>&1; then return; fi
    say "Installing the test runner cargo-nextest (a few minutes, once)"
    cargo install --locked cargo-nextest --version 0.9.143
}

need_cargo_deny() {
    if command -v cargo-deny >/dev/null; then return; fi
    say "Installing cargo-deny (some minutes, once)"
    cargo install --locked cargo-deny
}

# cargo-deny reads every crate of the lock file, those that only other systems need too.
have_crates() { cargo metadata --locked --offline --format-version 1 >/dev/null 2>&1; }

need_crates() {
    if have_crates; then return; fi
    say "Downloading the crates that only other systems need (once)"
    cargo fetch --locked || stop "The crates cannot be downloaded: the network is needed this once."
}

need_node() {
    local want=20.19.0 have
    local how="Debian's own may be too old. Get it from https://nodejs.org/en/download or with nvm:
    nvm install 22"
    command -v node >/dev/null || stop "Node is missing; version $want or newer is needed." "$how"
    have=$(node --version)
    at_least "${have#v}" "$want" || stop "Node ${have#v} is too old; version $want or newer is needed." "$how"
    command -v npm >/dev/null || stop "npm is missing; it comes with Node." "$how"
}

# need_packages COMMAND:PACKAGE...: installs the Debian packages whose command (or
# file, when it starts with a slash; patterns allowed) is missing.
need_packages() {
    local pair wanted missing=() sudo=()
    for pair in "$@"; do
        wanted=${pair%%:*}
        case $wanted in
        /*) compgen -G "$wanted" >/dev/null || missing+=("${pair#*:}") ;;
        *) PATH=$PATH:/usr/sbin command -v "$wanted" >/dev/null || missing+=("${pair#*:}") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    command -v apt-get >/dev/null ||
        stop "Missing on this machine: ${missing[*]} (names of the Debian packages)." \
            "Install them with your package manager and try again."
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null ||
            stop "Missing on this machine: ${missing[*]}. Installing packages needs root or sudo; as root:" \
                "    apt-get install ${missing[*]}"
        sudo=(sudo)
    fi
    say "Installing Debian packages: ${missing[*]}"
    "${sudo[@]}" apt-get update -q
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

need_test_services() {
    need_packages '/usr/lib/postgresql/*/bin/postgres:postgresql' psql:postgresql-client \
        redis-server:redis-server openssl:openssl setpriv:util-linux setsid:util-linux ps:procps
}

need_browser() {
    need_packages chromium:chromium '/usr/share/fonts/truetype/*:fonts-dejavu-core'
    UZEL_TEST_CHROMIUM=$(command -v chromium)
    export UZEL_TEST_CHROMIUM
}

# need_free_address ADDRESS COMMAND: refuses when something listens there already.
need_free_address() {
    local host=${1%:*} port=${1##*:}
    if [ "$port" != 0 ] && (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then
        stop "Something listens at $1 already." \
            "Stop it, or choose another address: UZEL_SERVER__BIND=127.0.0.1:8090 make $2"
    fi
}

# npm_packages DIRECTORY: installs what the lock file says, when it says something new.
npm_packages() {
    local stamp="$1/node_modules/.installed-for" now
    now="$(node --version) $(cat "$1/package.json" "$1/package-lock.json" | sha256sum)"
    [ "$(cat "$stamp" 2>/dev/null)" = "$now" ] && return
    say "Installing the npm packages of $1"
    npm --prefix "$1" ci --no-audit --no-fund --loglevel=error
    echo "$now" >"$stamp"
}

# The interface is embedded into the binary; it is built when its sources are newer.
build_web() {
    local built=web/dist/index.html
    need_node
    npm_packages web
    if [ -e "$built" ] && [ -z "$(find web -path web/node_modules -prune -o -path web/dist -prune \
        -o -type f -newer "$built" -print -quit)" ]; then
        return
    fi
    say "Building the interface"
    npm --prefix web run build
    touch "$built"
}
