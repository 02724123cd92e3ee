#!/usr/bin/env bash
# Everything, ring by ring; the quick rings first, so that a mistake is told early.
# Servers and browsers mostly wait: three workers share two cores. What judges sound does so beside nothing else.
# What fails beside other work is tried once more, alone, and named: docs/decisions/0030-once-more-alone.md.
set -uo pipefail
bash tools/check.sh || exit
pytest=("${VENV:-.venv}/bin/python" -m pytest -q)
ring() {
    local marks=$1
    shift
    "${pytest[@]}" -m "$marks" "$@" tests
    local ended=$?
    [ $ended = 1 ] || return $ended
    echo "Failed beside other work; once more, alone:"
    "${pytest[@]}" -m "$marks" -v --last-failed --last-failed-no-failures none tests
}
rm -f build/calls.json
ring wire -n "${WORKERS:-3}" || exit
"${VENV:-.venv}/bin/python" -m tests.talk.ways_report || exit
ring "browser and not measured" -n "${WORKERS:-3}" || exit
ring "browser and measured" -n 2
