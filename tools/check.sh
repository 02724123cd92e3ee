#!/usr/bin/env bash
# Format, lint, types, import contracts, page checks, pure tests: the ring that stays under a minute.
# The three parts run side by side; each speaks when it is done, the tests last.
set -uo pipefail
bin=${VENV:-.venv}/bin
logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

lint() {
    "$bin/ruff" format --check --quiet . && "$bin/ruff" check --quiet . || return
    "$bin/lint-imports" --no-cache >"$logs/contracts" 2>&1 || { cat "$logs/contracts"; return 1; }
    # What import contracts cannot say: the server is no WebRTC endpoint, it uses what lies below one.
    ! grep -rnE --include='*.py' 'RTCPeerConnection|MediaRelay' poc_server || return
    "$bin/mypy" --no-error-summary
}
pages() { cd web && npm run --silent check; }
tests() { "$bin/python" -m pytest -q -m "not wire and not browser" tests; }

lint >"$logs/lint" 2>&1 &
lint=$!
pages >"$logs/pages" 2>&1 &
pages=$!
tests >"$logs/tests" 2>&1
tested=$?

failed=0
wait $lint || { failed=1; echo "--- lint, types, import contracts:"; cat "$logs/lint"; }
wait $pages || { failed=1; echo "--- pages:"; cat "$logs/pages"; }
cat "$logs/tests"
[ $tested = 0 ] && [ $failed = 0 ]
