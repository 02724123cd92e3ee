#!/usr/bin/env bash
# Everything a machine without a network needs, in one file: wheels, pages, deploy files, docs, and a script that installs them.
# Made on a machine of the same kind (processor, Python's minor version) as the one it is for.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${VENV:-.venv}/bin/python
version=$("$python" -c "import tomllib; print(tomllib.load(open('pyproject.toml', 'rb'))['project']['version'])")
name=poc-server-$version
out=build/bundle/$name
[ -f web/dist/index.html ] || { echo "no pages: make pages first" >&2; exit 1; }

rm -rf build/bundle
mkdir -p "$out/wheels"
"$python" -m pip wheel --quiet --disable-pip-version-check --no-deps --no-build-isolation -w "$out/wheels" . 2>/dev/null \
    || "$python" -m pip wheel --quiet --disable-pip-version-check --no-deps -w "$out/wheels" .
"$python" -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" >build/bundle/needed.txt
"$python" -m pip download --quiet --disable-pip-version-check --only-binary :all: -c constraints.txt -r build/bundle/needed.txt \
    -d "$out/wheels" || "$python" -m pip wheel --quiet --disable-pip-version-check -c constraints.txt -r build/bundle/needed.txt -w "$out/wheels"
cp -r web/dist "$out/pages"
cp -r deploy docs README.md CHANGELOG.md LICENSE "$out"
cp tools/bundle_install.sh "$out/install.sh"
# The one library that is no wheel; where apt is there it rides along.
mkdir "$out/packages"
(cd "$out/packages" && apt-get download libopus0 >/dev/null 2>&1) || rmdir "$out/packages"
(cd "$out" && find . -type f ! -name SHA256SUMS -print0 | sort -z | xargs -0 sha256sum >SHA256SUMS)
tar -C build/bundle -czf "build/$name.tar.gz" "$name"
echo "build/$name.tar.gz  $(du -h "build/$name.tar.gz" | cut -f1), $(find "$out/wheels" -name '*.whl' | wc -l) wheels"
