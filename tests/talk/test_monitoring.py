"""Which groups are in the scope of one who monitors: standing and temporary ones, as many as the limit."""

from __future__ import annotations

from typing import Any, cast

from groups.model import Agency, Group, Membership, Unit, User
from groups.policy import Act
from groups.vocabulary import AgencyId, GroupId, GroupKind, MonitorScope, Role, UnitId, UserId
from poc_server.store.directory import Directory
from poc_server.store.snapshot import Snapshot
from poc_server.talk.monitoring import Monitoring
from poc_server.talk.roster import Roster, Transient
from signaling.limits import MAX_MONITORED

AGENCY, UNIT = AgencyId("ag"), UnitId("un")
SUPERVISOR = User(UserId("sv"), AGENCY, UNIT, "督察", frozenset({Role.SUPERVISOR}))
UNASKED = cast("Any", None)
"""What a scope asks nothing of."""


def group(key: str, kind: GroupKind = GroupKind.CHAT, *, heard: bool = True) -> Group:
    return Group(GroupId(key), AGENCY, UNIT, key, kind, monitoring_allowed=heard)


def city(count: int) -> tuple[Roster, Monitoring]:
    snapshot = Snapshot(
        agencies={AGENCY: Agency(AGENCY, "城")},
        units={UNIT: Unit(UNIT, AGENCY, None, "队")},
        users={SUPERVISOR.id: SUPERVISOR},
        groups={GroupId(key): group(key) for key in (f"g{n:03}" for n in range(count))},
    )
    directory = Directory(snapshot)
    roster = Roster(directory)
    return roster, Monitoring(directory, roster, UNASKED, UNASKED, UNASKED, UNASKED)


def test_as_many_as_may_be_monitored_are_and_one_more_is_left_out_by_its_name() -> None:
    for count in (MAX_MONITORED, MAX_MONITORED + 1):
        _, monitoring = city(count)
        found = monitoring.in_scope(SUPERVISOR, MonitorScope.ALL, Act.MONITOR)
        assert found == [GroupId(f"g{n:03}") for n in range(MAX_MONITORED)]


def test_all_is_also_what_lives_as_long_as_its_call_but_no_private_one_and_none_that_may_not_be_heard() -> None:
    roster, monitoring = city(1)
    told: list[GroupId] = []
    roster.on_passing = told.append
    member = {SUPERVISOR.id: Membership(GroupId("ca-1"), SUPERVISOR.id)}
    passing = (
        group("ca-1", GroupKind.TEMPORARY),
        group("ca-2", GroupKind.PRIVATE, heard=False),
        group("ca-3", GroupKind.TEMPORARY, heard=False),
    )
    for each in passing:
        roster.put(Transient(each, {}))
    roster.put(Transient(passing[0], member))
    assert told == ["ca-1", "ca-2", "ca-3"], "once, however often others come and go"
    assert monitoring.in_scope(SUPERVISOR, MonitorScope.ALL, Act.MONITOR) == ["ca-1", "g000"]
    assert monitoring.in_scope(SUPERVISOR, MonitorScope.OWN, Act.MONITOR) == []
    roster.drop(GroupId("ca-1"))
    assert told[-1] == "ca-1"
    assert monitoring.in_scope(SUPERVISOR, MonitorScope.ALL, Act.MONITOR) == ["g000"]
