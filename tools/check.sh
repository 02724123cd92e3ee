#!/usr/bin/env bash
# Format, lint, types, import contracts, pure tests: the ring that stays under a minute.
set -euo pipefail
bin=${VENV:-.venv}/bin

# Speaks only when something is wrong.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 || status=$?
    [ $status = 0 ] || cat "$log"
    rm -f "$log"
    return $status
}

"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
quietly "$bin/lint-imports" --no-cache
"$bin/mypy" --no-error-summary
(cd web && npm run --silent check)
"$bin/python" -m pytest -q -m "not wire and not browser" tests
