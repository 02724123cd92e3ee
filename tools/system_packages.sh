#!/usr/bin/env bash
# Sees that the machine has what poc-server needs: `run` what the server needs, `test` also what its tests need, `bench`
# also what its figures are compared with.
# Missing Debian packages are installed where that is allowed, and else named. Installs nothing that is there already.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"
python=${PYTHON:-python3}

declare -A present=(
    [libopus0]='ldconfig -p | grep -q libopus.so.0'
    [python3-venv]='"$0" -c "import ensurepip, venv"'
)
# Debian's own interpreter comes without the headers that the native kernel is compiled with; others bring theirs.
headers='"$0" -c "
import os, sys, sysconfig
missing = not os.path.exists(os.path.join(sysconfig.get_path(\"include\"), \"Python.h\"))
sys.exit(missing and sys.base_prefix == \"/usr\")"'
if [ "${1:-run}" = test ]; then
    present[chromium]='command -v chromium'
    present[redis-server]='command -v redis-server'
    present[postgresql]='ls /usr/lib/postgresql/*/bin/postgres'
    present[opus-tools]='command -v opusinfo'
    present[iproute2]='command -v ip && command -v tc'
    present[coturn]='command -v turnserver'
    present[caddy]='command -v caddy'
    present[gcc]='command -v cc || command -v gcc'
    present[python3-dev]=$headers
    present[libssl-dev]='test -e /usr/include/openssl/evp.h'
    present[fonts-noto-cjk]='fc-list :lang=zh-cn | grep -q . || test -d /usr/share/fonts/opentype/noto'
elif [ "${1:-run}" = bench ]; then
    present[gcc]='command -v cc || command -v gcc'
    present[python3-dev]=$headers
    present[libssl-dev]='test -e /usr/include/openssl/evp.h'
    present[mumble-server]='command -v murmurd'
fi

# Debian packages install these as services; tests and figures start their own, on ports and data of their own.
services=(redis-server postgresql coturn caddy mumble-server)

say() { echo "poc-server: $*" >&2; }

need_toolchains() {
    if ! command -v "$python" >/dev/null || ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        say "Python 3.11 or newer is needed; name another one with: make PYTHON=python3.11 …"
        return 1
    fi
    if ! command -v npm >/dev/null || ! node -e 'process.exit(process.versions.node.split(".")[0] < 20 ? 1 : 0)'; then
        say "Node.js 20 or newer, with npm, is needed to build the pages (Debian 13: apt-get install nodejs npm)"
        return 1
    fi
}

missing_packages() {
    local package
    for package in "${!present[@]}"; do
        bash -c "${present[$package]}" "$python" >/dev/null 2>&1 || echo "$package"
    done | sort
}

# While it stands, no package that we install starts its service; it goes when we end, however we end.
hold_services() {
    local policy=/usr/sbin/policy-rc.d
    [ ! -e "$policy" ] || return 0
    trap '"${as_root[@]}" rm -f /usr/sbin/policy-rc.d' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod 755 "$policy"
}

install_packages() {
    local log package
    log=$(mktemp)
    say "installing Debian packages: $*"
    hold_services
    if ! { "${as_root[@]}" apt-get update -qq &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } \
        </dev/null >"$log" 2>&1; then
        cat "$log" >&2
        say "could not install; please install these Debian packages first: apt-get install $*"
        return 1
    fi
    rm -f "$log"
    [ -d /run/systemd/system ] || return 0
    for package in "$@"; do
        [[ " ${services[*]} " != *" $package "* ]] || "${as_root[@]}" systemctl disable --quiet "$package" || true
    done
}

need_toolchains
mapfile -t missing < <(missing_packages)
[ ${#missing[@]} -gt 0 ] || exit 0
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo -n)
fi
if command -v apt-get >/dev/null && { [ ${#as_root[@]} = 0 ] || sudo -n true 2>/dev/null; }; then
    install_packages "${missing[@]}"
else
    say "please install these Debian packages first: apt-get install ${missing[*]}"
    exit 1
fi
