#!/usr/bin/env bash
# Everything, ring by ring; the quick rings first, so that a mistake is told early.
# Servers and browsers mostly wait: two workers share a machine, but what judges sound has it alone.
set -euo pipefail
bash tools/check.sh
ring() { "${VENV:-.venv}/bin/python" -m pytest -q -m "$@" tests; }
ring wire -n "${WORKERS:-2}" --dist loadscope
ring "browser and not measured" -n "${WORKERS:-2}" --dist loadfile
ring "browser and measured"
