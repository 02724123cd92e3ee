"""Which changes of the directory concern the rights of people who are not named in them."""

from __future__ import annotations

import pytest

from groups.model import Group, Membership, Unit
from groups.vocabulary import AgencyId, GroupId, GroupKind, UnitId, UserId
from poc_server.store.directory import DirectoryChange
from poc_server.store.directory.snapshot import Snapshot
from poc_server.talk.following import concerned, units_moved

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


def told(before: Snapshot, after: Snapshot, *users: str) -> set[str]:
    groups = frozenset(before.groups) | after.groups.keys()
    return {*concerned(DirectoryChange(before, after, users=frozenset(UserId(each) for each in users), groups=groups))}


def town(*members: str, name: str = "东城", kind: GroupKind = GroupKind.CHAT) -> Snapshot:
    key = GroupId("east")
    return Snapshot(
        groups={key: Group(key, AgencyId("a"), EAST, name, kind)},
        members={key: {UserId(each): Membership(key, UserId(each)) for each in members}},
    )


def test_of_a_member_more_or_less_he_is_told_and_of_another_name_all_are() -> None:
    assert told(town("a", "b"), town("a", "b", "c"), "c", "z") == {"c"}
    assert told(town("a", "b"), town("a"), "b") == {"b"}
    assert told(town("a", "b"), town("a", "b", name="东区")) == {"a", "b"}
    assert told(town("a", "b"), Snapshot()) == {"a", "b"}
    case = {"kind": GroupKind.INCIDENT}
    assert told(town("a", **case), town("a", "b", **case), "b") == set()  # type: ignore[arg-type]
