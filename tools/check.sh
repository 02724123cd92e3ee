#!/usr/bin/env bash
# Format, lint, types, import contracts, pure tests: the ring that stays under a minute.
set -euo pipefail
bin=${VENV:-.venv}/bin
"$bin/ruff" format --check --quiet .
"$bin/ruff" check --quiet .
"$bin/lint-imports" --no-cache >/tmp/lint-imports.$$ 2>&1 || { cat /tmp/lint-imports.$$; rm -f /tmp/lint-imports.$$; exit 1; }
rm -f /tmp/lint-imports.$$
"$bin/mypy" --no-error-summary
(cd web && npm run --silent check)
"$bin/python" -m pytest -q -m "not wire and not browser" tests
