"""A running server looks at all it holds in the quiet alone, whatever was made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from poc_server.ground.collector import APART_S, DUE_PASSES, GROWN_BYTES, QUIET_S, collecting_in_the_quiet, is_due


@contextmanager
def _full_collections() -> Iterator[list[int]]:
    seen: list[int] = []

    def note(phase: str, about: dict[str, int]) -> None:
        if phase == "start" and about["generation"] == 2:
            seen.append(1)

    gc.callbacks.append(note)
    try:
        yield seen
    finally:
        gc.callbacks.remove(note)


def _make_much_that_stays() -> list[list[int]]:
    return [[number] for number in range(300_000)]


async def test_a_running_server_does_not_look_at_all_it_holds_because_much_was_made() -> None:
    threshold = gc.get_threshold()
    with _full_collections() as as_python_does:
        _make_much_that_stays()
    async with collecting_in_the_quiet(lambda: 0.0):
        with _full_collections() as while_serving:
            _make_much_that_stays()
    gc.unfreeze()
    assert as_python_does
    assert not while_serving
    assert gc.get_threshold() == threshold


def test_everything_is_looked_at_in_the_quiet() -> None:
    assert is_due(passes=DUE_PASSES, quiet_s=QUIET_S, apart_s=APART_S, grown=0)


@pytest.mark.parametrize(
    ("passes", "quiet_s", "apart_s"),
    [
        pytest.param(DUE_PASSES - 1, QUIET_S, APART_S, id="little was made"),
        pytest.param(10 * DUE_PASSES, QUIET_S - 0.1, APART_S, id="somebody speaks"),
        pytest.param(10 * DUE_PASSES, QUIET_S, APART_S - 1, id="it was done just now"),
    ],
)
def test_everything_is_left_alone(passes: int, quiet_s: float, apart_s: float) -> None:
    assert not is_due(passes=passes, quiet_s=quiet_s, apart_s=apart_s, grown=GROWN_BYTES - 1)


def test_a_city_that_is_never_quiet_does_not_fill_its_memory() -> None:
    assert is_due(passes=0, quiet_s=0.0, apart_s=0.0, grown=GROWN_BYTES)
