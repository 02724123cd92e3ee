"""PostgreSQL away under talk, in small: every burst that a phone was granted stands in SQL once, and nobody waited."""

from __future__ import annotations

import pytest

from tools.journal_outage import Options, run, wrong

pytestmark = pytest.mark.wire


async def test_every_burst_that_was_granted_stands_in_sql_once() -> None:
    report = await run(Options(seconds=2, beside=1, phones=16, groups=4))
    assert wrong(report) == []
    assert report["bursts_of_phase"]["during"] > 0
    assert report["waiting_at_return"] > 0
    assert report["rows"] == report["bursts"]
