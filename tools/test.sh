#!/usr/bin/env bash
# Everything, ring by ring; the quick rings first, so that a mistake is told early.
# Servers mostly wait: three workers share two cores. Browsers do not: two. What judges sound has the machine alone.
# What fails beside other work is tried once more, alone, and named: docs/decisions/0030-once-more-alone.md.
set -uo pipefail
bash tools/check.sh || exit
pytest=("${VENV:-.venv}/bin/python" -m pytest -q)
# Each commit and each recording waits for the disk, which no test asks about: in memory, where there is room for it.
shared=/dev/shm
if [ -w $shared ] && [ "$(df --output=avail -k $shared | tail -1)" -gt $((8 * 1024 * 1024)) ]; then
    memory=$(mktemp -d -p $shared poc-test-XXXXXX)
    trap 'rm -rf "$memory"' EXIT
    pytest+=(--basetemp "$memory/tests")
fi
ring() {
    local where=$1 marks=$2 workers=$3
    "${pytest[@]}" -m "$marks" -n "$workers" "$where"
    local ended=$?
    [ $ended = 1 ] || return $ended
    echo "Failed beside other work; once more, alone:"
    "${pytest[@]}" -m "$marks" -v --last-failed --last-failed-no-failures none "$where"
}
rm -f build/calls.json
ring tests wire "${WORKERS:-3}" || exit
"${VENV:-.venv}/bin/python" -m tests.talk.ways_report || exit
ring tests/browser "browser and not measured" "${WORKERS:-2}" || exit
ring tests/browser "browser and measured" 0
