#!/usr/bin/env bash
# Installs poc-server from this folder, with the network off. Usage: ./install.sh [FOLDER], by default /opt/poc-server.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
target=${1:-/opt/poc-server}
python=${PYTHON:-python3}

(cd "$here" && sha256sum --quiet -c SHA256SUMS)
if ! ldconfig -p | grep -q libopus.so.0; then
    echo "libopus is missing: dpkg -i $here/packages/libopus0*.deb" >&2
    exit 1
fi
"$python" -m venv "$target"
"$target/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --find-links "$here/wheels" poc-server
rm -rf "$target/pages"
cp -r "$here/pages" "$here/deploy" "$target"
"$target/bin/poc-server" --help >/dev/null
echo "installed: POC_SERVER__PAGES=$target/pages $target/bin/poc-server serve --config FILE   (docs/operations.md)"
