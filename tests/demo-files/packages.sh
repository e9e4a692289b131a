# Sourced by tests/demo and tests/all: what Debian 12 must have, and how it comes there.

BUILD_PACKAGES=(build-essential meson ninja-build pkg-config libuv1-dev libcurl4-openssl-dev libjansson-dev libyaml-dev
    libsystemd-dev libsqlite3-dev libmicrohttpd-dev uthash-dev libpcre2-dev libexpat1-dev libssl-dev
    libglib2.0-dev tzdata check)
PYTHON_PACKAGES=(python3 python3-botocore python3-aiosmtpd python3-yaml python3-cryptography)
TEST_PACKAGES=(git clang libclang-rt-14-dev llvm clang-format valgrind mandoc systemd strace util-linux procps curl sqlite3
    prometheus-alertmanager zsh python3-jsonschema faketime)

# Runs a command as root: directly, or by sudo for a user who has it.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        echo "This needs root, or a user with sudo: $*" >&2
        exit 1
    fi
}

# Installs those of the named packages that are not there; asks nothing and needs no terminal.
install_missing() {
    local package missing=()
    for package in "$@"; do
        if [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" != installed ]; then
            missing+=("$package")
        fi
    done
    if [ ${#missing[@]} = 0 ]; then
        echo "all ${#} are there"
        return
    fi
    echo "installing: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    as_root apt-get update -qq
    as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
