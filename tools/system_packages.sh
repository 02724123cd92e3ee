#!/usr/bin/env bash
# Installs the Debian packages that are missing, where it may; names them where it may not.
set -euo pipefail
declare -A need=([libopus0]="ldconfig -p | grep -q libopus.so.0")
if [ "${1:-run}" = test ]; then
    need[chromium]="command -v chromium"
    need[redis-server]="command -v redis-server"
    need[postgresql]="ls /usr/lib/postgresql/*/bin/postgres"
    need[opus-tools]="command -v opusinfo"
    need[iproute2]="command -v ip"
    need[coturn]="command -v turnserver"
    need[fonts-noto-cjk]="test -d /usr/share/fonts/opentype/noto"
fi
missing=()
for package in "${!need[@]}"; do
    PATH="$PATH:/usr/sbin:/sbin" bash -c "${need[$package]}" >/dev/null 2>&1 || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if command -v apt-get >/dev/null && { [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then
    as_root=(); [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    echo "Installing missing Debian packages: ${missing[*]}"
    "${as_root[@]}" apt-get update -qq >/dev/null
    # A package that starts a service on install must not: the tests start their own, on their own ports.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
else
    echo "Please install these Debian packages first: apt-get install ${missing[*]}" >&2
    exit 1
fi
