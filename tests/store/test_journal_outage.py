"""PostgreSQL away under talk, in small: every burst that a phone was granted stands in SQL once, and nobody waited."""

from __future__ import annotations

from typing import Any

import pytest

from tools.bench.journal_outage import ENOUGH, PHASES, Options, run, wrong


@pytest.mark.wire
async def test_every_burst_that_was_granted_stands_in_sql_once() -> None:
    report = await run(Options(seconds=2, beside=1, phones=16, groups=4))
    assert wrong(report) == []
    assert report["bursts_of_phase"]["during"] > 0
    assert report["waiting_at_return"] > 0
    assert report["rows"] == report["bursts"]


def report(count: int = ENOUGH, **p95: float) -> dict[str, Any]:
    rows = dict.fromkeys(("missing", "unknown", "twice", "dead", "lost", "failed_presses"), 0)
    access = {phase: {"p50": 1.0, "p95": p95.get(phase, 2.0), "count": count} for phase in PHASES}
    return {**rows, "access_ms": access}


def test_access_that_is_slower_while_sql_is_away_is_wrong_and_a_slow_machine_is_not() -> None:
    assert wrong(report(during=8.0)) == []
    assert wrong(report(during=8.1)) == ["access p95: 8.1 ms, beside it 2.0 ms"]
    assert wrong(report(during=8.1, before=30.0)) == []
    assert wrong(report(during=500.0, count=ENOUGH - 1)) == []
    assert wrong({**report(), "missing": 1}) == ["missing: 1"]
