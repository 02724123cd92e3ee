from __future__ import annotations

from collections.abc import Callable

import pytest

from groups.floor.guards import GUARDS
from groups.floor.moves import MOVES
from groups.floor.table import TABLE, Guard, Move, Row, Trigger
from groups.vocabulary import DenyCause, RevokeCause
from tests.groups.floor_scenarios import SCENARIOS
from tests.groups.floor_stage import NewStage, Stage


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
def test_floor(scenario: Callable[[NewStage], None]) -> None:
    scenario(Stage)


def test_every_row_of_the_table_is_played() -> None:
    seen: set[Row] = set()
    for scenario in SCENARIOS:
        scenario(lambda **options: Stage(seen=seen, **options))
    assert [row for row in TABLE if row not in seen] == []


def test_every_cause_is_reached() -> None:
    told: set[str] = set()

    class Listening(Stage):
        def feed(self, asked):
            log = super().feed(asked)
            told.update(log)
            return log

    for scenario in SCENARIOS:
        scenario(Listening)
    words = " ; ".join(told)
    assert [cause for cause in DenyCause if f" denied {cause.value}" not in words] == []
    assert [cause for cause in RevokeCause if f" revoked {cause.value} " not in words] == []


def test_every_word_of_the_table_is_used_and_carried_out() -> None:
    assert set(GUARDS) == set(Guard) == {row.guard for row in TABLE}
    assert set(MOVES) == set(Move) == {move for row in TABLE for move in row.moves}
    assert {row.trigger for row in TABLE} == set(Trigger)


def test_no_row_stands_twice_and_none_is_out_of_reach() -> None:
    places = [(row.phase, row.trigger, row.guard) for row in TABLE]
    assert len(places) == len(set(places))
    closed: set[tuple[object, object]] = set()
    for row in TABLE:
        assert (row.phase, row.trigger) not in closed
        if row.guard is Guard.ALWAYS:
            closed.add((row.phase, row.trigger))
