"""The scenarios hold the table: a row that is flipped, whichever, makes at least one of them fail."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from groups.floor.machine import compile_rules
from groups.floor.state import Phase
from groups.floor.table import TABLE, Guard, Row
from tests.groups.floor_scenarios import SCENARIOS
from tests.groups.floor_stage import Stage

FLIPS = 10


def caught(table: Sequence[Row]) -> bool:
    """Whether any scenario fails on this table: by an assertion, or because a move finds nothing to work on."""
    rules = compile_rules(table)
    for scenario in SCENARIOS:
        try:
            scenario(lambda **options: Stage(rules, **options))
        except (AssertionError, LookupError, TypeError, ValueError, StopIteration):
            return True
    return False


def flips(index: int, choose: random.Random) -> Iterator[tuple[str, tuple[Row, ...]]]:
    """The four ways a row can be wrong: gone, other moves, another state, another guard."""
    row = TABLE[index]
    before, after = TABLE[:index], TABLE[index + 1 :]
    yield "dropped", before + after
    moves = choose.choice([other.moves for other in TABLE if other.moves != row.moves])
    yield f"moves {moves}", (*before, replace(row, moves=moves), *after)
    then = choose.choice([phase for phase in Phase if phase is not row.then])
    yield f"then {then}", (*before, replace(row, then=then), *after)
    place = [other for other in TABLE if (other.phase, other.trigger) == (row.phase, row.trigger)]
    if row.guard is not Guard.ALWAYS and len(place) > 1:
        yield "always", (*before, replace(row, guard=Guard.ALWAYS), *after)


@pytest.mark.parametrize("flip", range(FLIPS))
def test_a_flipped_row_is_caught(flip: int) -> None:
    choose = random.Random(24_380 + flip)
    index = choose.randrange(len(TABLE))
    for name, table in flips(index, choose):
        assert caught(table), f"{TABLE[index]} was {name} and nobody noticed"


def test_the_table_as_it_is_passes() -> None:
    assert not caught(TABLE)
