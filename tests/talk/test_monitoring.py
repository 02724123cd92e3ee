"""Which groups are in the scope of one who monitors: standing and temporary ones, as many as the limit."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from groups.model import Agency, Group, Membership, Unit, User
from groups.policy import Act
from groups.vocabulary import AgencyId, GroupId, GroupKind, MonitorScope, Refusal, Role, UnitId, UserId
from poc_server.store.directory import Directory
from poc_server.store.directory.snapshot import Snapshot
from poc_server.talk.monitoring import Monitoring
from poc_server.talk.phone import FORWARD_KEPT, Phone
from poc_server.talk.roster import Roster, Transient
from signaling.limits import MAX_MONITORED, MAX_NAME_CHARS, MAX_TOLD_BYTES
from signaling.messages import FloorSnapshot, GroupSnapshot
from signaling.messages import Monitoring as Monitored
from signaling.messages.unions import encode

AGENCY, UNIT = AgencyId("ag"), UnitId("un")
SUPERVISOR = User(UserId("sv"), AGENCY, UNIT, "督察", frozenset({Role.SUPERVISOR}))
UNASKED = cast("Any", SimpleNamespace(changed=lambda _: None))
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
    ears: Any = SimpleNamespace(monitor=lambda phone, groups: setattr(phone, "monitors", tuple(groups)))
    shown: Any = SimpleNamespace(snapshot=lambda _, key: drawn(key))
    return roster, Monitoring(directory, roster, ears, UNASKED, shown, lambda *_: None)


def drawn(key: str) -> GroupSnapshot:
    """A group as its channel is drawn, with the longest name there may be."""
    name, floor = "东" * MAX_NAME_CHARS, FloorSnapshot(state="idle")
    counts = {"members": 5_000, "online": 4_000, "listening": 3_000}
    return GroupSnapshot(id=key, name=name, kind=GroupKind.PREARRANGED, floor=floor, yours="none", **counts)


class Page:
    """The console of one who monitors: what it was told last."""

    def __init__(self, monitoring: Monitoring) -> None:
        self.monitoring = monitoring
        self.phone = Phone("key", SUPERVISOR, "", 2)
        self.phone.connection = cast("Any", SimpleNamespace(send=self.hears))
        self.told: Monitored | None = None

    def hears(self, message: Monitored) -> None:
        self.told = message

    def asks(self, scope: MonitorScope, listed: tuple[str, ...] = ()) -> Monitored:
        self.monitoring.monitor(self.phone, scope, listed, hidden=False)
        return self.monitoring.told(self.phone, "r1")


def test_of_more_groups_than_may_be_monitored_the_first_by_name_are_and_it_is_said_how_many_are_not() -> None:
    for count, code in ((MAX_MONITORED, None), (MAX_MONITORED + 1, Refusal.TOO_MANY)):
        _, monitoring = city(count)
        told = Page(monitoring).asks(MonitorScope.ALL)
        assert [each.id for each in told.groups] == [f"g{n:03}" for n in range(MAX_MONITORED)]
        assert (told.left_out, told.code) == (count - MAX_MONITORED, code)
        assert len(encode(told)) <= MAX_TOLD_BYTES


def test_what_was_left_out_follows_when_there_is_room() -> None:
    roster, monitoring = city(MAX_MONITORED - 1)
    page = Page(monitoring)
    assert page.asks(MonitorScope.ALL).left_out == 0
    for key in ("ca-1", "ca-2", "ca-3"):
        roster.put(Transient(group(key, GroupKind.TEMPORARY), {}))
        monitoring.regroup(page.phone, {GroupId(key)})
    assert page.told is not None
    assert (page.told.left_out, page.told.code) == (2, Refusal.TOO_MANY)
    assert page.phone.beyond == ("g497", "g498"), "by their names these are the last"
    # What is gone of those that were left out, too, is told; and what is gone of the others makes room.
    roster.drop(GroupId("ca-2"))
    monitoring.regroup(page.phone, {GroupId("ca-2")})
    assert (page.told.left_out, "g497" in page.phone.monitors) == (1, True)
    page.phone.monitors = page.phone.monitors[1:]  # a right that was lost took it (`Affiliation.keep_to_allowed`)
    monitoring.regroup(page.phone, ())
    assert (page.told.left_out, page.told.code, len(page.told.groups)) == (0, None, MAX_MONITORED)
    assert page.asks(MonitorScope.NONE).left_out == 0


def test_one_who_came_from_another_node_knows_what_is_left_out() -> None:
    _, monitoring = city(MAX_MONITORED + 3)
    page = Page(monitoring)
    page.asks(MonitorScope.ALL)
    there, page.phone.beyond = page.phone.beyond, ()
    monitoring.resumed(page.phone)
    assert page.phone.beyond == there
    assert len(there) == 3


def test_of_a_list_that_was_handed_over_the_first_are_monitored_and_what_is_gone_makes_room() -> None:
    roster, monitoring = city(MAX_MONITORED + 1)
    roster.put(Transient(group("ca-1", GroupKind.TEMPORARY), {}))
    page = Page(monitoring)
    told = page.asks(MonitorScope.LISTED, ("ca-1", *(f"g{n:03}" for n in range(MAX_MONITORED + 1))))
    assert (told.left_out, page.phone.monitors[0], page.phone.beyond) == (2, "ca-1", ("g499", "g500"))
    roster.drop(GroupId("ca-1"))
    monitoring.regroup(page.phone, {GroupId("ca-1")})
    assert page.told is not None
    assert (page.told.left_out, page.told.groups[-1].id) == (1, "g499")


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


def test_a_phone_learns_once_of_each_change_by_which_an_incident_comes_forward() -> None:
    phone = Phone("key", SUPERVISOR, "", 2)
    case, other = GroupId("in-1"), GroupId("in-2")
    asked = [(case, 7), (case, 7), (other, 7), (case, 9), (case, 7), (case, 0), (case, 0)]
    assert [phone.learns(*each) for each in asked] == [True, False, True, True, False, True, True]
    for version in range(10, 10 + FORWARD_KEPT):
        assert phone.learns(case, version)
    assert len(phone.forward) == FORWARD_KEPT
    assert not phone.learns(case, 10)
