from __future__ import annotations

import pytest

from poc_server.media.memory import MANY, QUIET_S, Trimmer


@pytest.mark.parametrize(("settled", "trims"), [(MANY - 1, 0), (MANY, 1)])
def test_a_trim_needs_much_to_gain(settled: int, trims: int) -> None:
    trimmer = Trimmer()
    for _ in range(settled):
        trimmer.settled()
    trimmer.tick(quiet_s=QUIET_S)
    trimmer.tick(quiet_s=2 * QUIET_S)
    assert trimmer.trims == trims


def test_a_trim_waits_till_nobody_is_disturbed() -> None:
    trimmer = Trimmer()
    for _ in range(MANY):
        trimmer.settled()
    trimmer.tick(quiet_s=QUIET_S - 0.01)
    assert trimmer.trims == 0
    trimmer.tick(quiet_s=QUIET_S)
    assert trimmer.trims == 1
