#!/usr/bin/env bash
# Everything, ring by ring; the quick rings first, so that a mistake is told early.
set -euo pipefail
bash tools/check.sh
"${VENV:-.venv}/bin/python" -m pytest -q -m wire tests
"${VENV:-.venv}/bin/python" -m pytest -q -m browser tests
