"""Which changes of the directory concern the rights of people who are not named in them."""

from __future__ import annotations

import pytest

from groups.model import Unit
from groups.vocabulary import AgencyId, UnitId
from poc_server.store.directory import DirectoryChange
from poc_server.store.snapshot import Snapshot
from poc_server.talk.following import units_moved

CITY, EAST, WEST, SQUAD = (UnitId(name) for name in ("city", "east", "west", "squad"))


def tree(squad_under: UnitId | None, squad_name: str = "squad") -> Snapshot:
    above: dict[UnitId, UnitId | None] = {CITY: None, EAST: CITY, WEST: CITY}
    units = {each: Unit(each, AgencyId("a"), parent, each) for each, parent in above.items()}
    if squad_under is not None:
        units[SQUAD] = Unit(SQUAD, AgencyId("a"), squad_under, squad_name)
    return Snapshot(units=units)


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        (tree(EAST), tree(WEST), True),
        (tree(EAST), tree(None), True),
        (tree(None), tree(EAST), False),
        (tree(EAST), tree(EAST, "another name"), False),
    ],
    ids=["moved", "gone", "new", "renamed"],
)
def test_a_unit_that_moves_or_goes_changes_who_may_hear(before: Snapshot, after: Snapshot, moved: bool) -> None:
    assert units_moved(DirectoryChange(before, after, units=frozenset({SQUAD}))) is moved
