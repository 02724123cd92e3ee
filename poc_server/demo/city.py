"""The demo city 江城: 3 departments, 12 groups, 40 people or more, made through the same doors as any other city."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from groups.floor.options import FloorOptions
from groups.model import Membership, User
from groups.rights import RIGHTS, Right, has
from groups.vocabulary import AgencyId, GroupId, GroupKind, Role, UnitId, UserId
from poc_server.auth import Auth
from poc_server.demo import streets
from poc_server.demo.names import name_of
from poc_server.store import Change, Directory, Snapshot, Store
from poc_server.store.city import cells, groups, people, units
from poc_server.store.city.groups import GroupDraft
from poc_server.store.city.people import UserDraft

AGENCY = "江城市城市运行管理中心"
LEAST = 40
PATROL_SIZE = 10
"""People beyond the first 40 are officers in patrols of this size."""
LINK_LIFE_S = 86_400

# unit → its parent
UNITS = {
    "江城市": None,
    "城管执法局": "江城市",
    "市政园林局": "江城市",
    "环境卫生中心": "江城市",
    "城东区": "江城市",
    "城西区": "江城市",
    "东湖街道": "城东区",
    "滨江街道": "城东区",
    "西山街道": "城西区",
    "桥口街道": "城西区",
    "东湖一队": "东湖街道",
    "滨江一队": "滨江街道",
    "西山一队": "西山街道",
    "桥口一队": "桥口街道",
}
OFFICE = (Role.DISPATCHER, Role.SHIFT_LEADER, Role.INTAKE)


@dataclass(frozen=True, slots=True)
class _Post:
    role: Role
    unit: str
    badge: str
    count: int


# The command and the supervision centre sit at the root: a right reaches the own unit and those below.
STAFF = (
    _Post(Role.OFFICER, "东湖一队", "DH", 5),
    _Post(Role.OFFICER, "滨江一队", "BJ", 5),
    _Post(Role.OFFICER, "西山一队", "XS", 4),
    _Post(Role.OFFICER, "桥口一队", "QK", 4),
    _Post(Role.HANDLER, "城管执法局", "CG", 3),
    _Post(Role.HANDLER, "市政园林局", "SZ", 3),
    _Post(Role.HANDLER, "环境卫生中心", "HW", 3),
    _Post(Role.LEADER, "江城市", "LD", 2),
    _Post(Role.DISPATCHER, "江城市", "PQ", 3),
    _Post(Role.INTAKE, "江城市", "SL", 2),
    _Post(Role.SHIFT_LEADER, "江城市", "ZB", 1),
    _Post(Role.SUPERVISOR, "江城市", "JD", 2),
    _Post(Role.SYSTEM_ADMIN, "江城市", "XT", 1),
    _Post(Role.SECURITY_ADMIN, "江城市", "AQ", 1),
    _Post(Role.AUDIT_ADMIN, "江城市", "SJ", 1),
)


@dataclass(frozen=True, slots=True)
class _Channel:
    """A group and who is in it: everybody of the units (and below) and roles named."""

    name: str
    unit: str
    units: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()
    kind: GroupKind = GroupKind.CHAT
    floor: FloorOptions | None = None
    only_lead: bool = False
    """Only leaders and the command centre may talk."""


CHANNELS = (
    _Channel("东湖巡查组", "东湖一队", ("东湖一队",), (Role.DISPATCHER,)),
    _Channel("滨江巡查组", "滨江一队", ("滨江一队",), (Role.DISPATCHER,)),
    _Channel("西山巡查组", "西山一队", ("西山一队",), (Role.DISPATCHER,)),
    _Channel("桥口巡查组", "桥口一队", ("桥口一队",), (Role.DISPATCHER,)),
    _Channel("城东区联勤", "城东区", ("城东区", "城管执法局"), (Role.DISPATCHER, Role.LEADER)),
    _Channel("城西区联勤", "城西区", ("城西区", "城管执法局"), (Role.DISPATCHER, Role.LEADER)),
    _Channel("执法处置", "城管执法局", ("城管执法局",), (Role.DISPATCHER,)),
    _Channel("市政园林处置", "市政园林局", ("市政园林局",), (Role.DISPATCHER,)),
    _Channel("环卫处置", "环境卫生中心", ("环境卫生中心",), (Role.DISPATCHER,)),
    _Channel("指挥调度", "江城市", (), (*OFFICE, Role.SUPERVISOR, Role.LEADER)),
    _Channel(
        "应急频道",
        "江城市",
        ("江城市",),
        floor=FloorOptions(queue_limit=20, transmit_limit_ms=60_000),
    ),
    _Channel("全市广播", "江城市", ("江城市",), kind=GroupKind.BROADCAST, only_lead=True),
)
LIVELY = ("滨江巡查组", "城东区联勤")
PRIORITY = {Role.LEADER: 220, Role.SHIFT_LEADER: 180, Role.DISPATCHER: 160, Role.INTAKE: 110}


@dataclass(slots=True)
class _Plan:
    """What has been created so far in one go."""

    change: Change
    agency: AgencyId
    units: dict[str, UnitId]
    people: list[tuple[UserId, Role, str]]

    def in_units(self, names: Sequence[str]) -> set[str]:
        """These units and all below them."""
        found = set(names)
        for name, parent in UNITS.items():  # parents stand before their children
            if parent in found:
                found.add(name)
        return found


async def build_city(store: Store, count: int = LEAST) -> list[UserId]:
    """Make the city, or let it grow when it is there already, until ``count`` people may use its channels.

    Returns those people; beyond them it has three administrators, who neither talk nor listen.
    """
    if not store.directory.snapshot.agencies:
        async with store.change() as change:
            await _found(change)
    missing = count - len(_channel_users(store.directory.snapshot))
    if count > LEAST and missing > 0:
        await _grow(store, missing)
    streets.scatter(store)
    return _channel_users(store.directory.snapshot)


def _channel_users(snapshot: Snapshot) -> list[UserId]:
    return [user.id for user in landing(snapshot) if has(user, Right.LISTEN)]


def landing(snapshot: Snapshot) -> list[User]:
    """All people, those a visitor should meet first at the head: two officers, leader, dispatcher, administrator."""
    order = sorted(snapshot.users.values(), key=lambda user: (_rank(user), user.badge, user.id))
    first: list[User] = []
    for role, count in (
        (Role.OFFICER, 2),
        (Role.LEADER, 1),
        (Role.DISPATCHER, 1),
        (Role.SYSTEM_ADMIN, 1),
    ):
        first += [user for user in order if role in user.roles][:count]
    head = {user.id for user in first}
    return first + [user for user in order if user.id not in head]


def offered(directory: Directory) -> list[UserId]:
    """The five people a visitor is offered first; bots leave them alone."""
    return [user.id for user in landing(directory.snapshot)[:5]]


def lively(directory: Directory) -> list[GroupId]:
    """The groups in which bots talk now and then; both first officers are in both."""
    found = directory.snapshot.groups.values()
    return [group.id for name in LIVELY for group in found if group.name == name]


async def make_links(store: Store, auth: Auth, users: Sequence[UserId], file: Path, life_s: int = LINK_LIFE_S) -> None:
    """Write one line of JSON per user: ``{"user", "name", "token", "refresh_token", "groups", "talks_in"}``.

    The file opens every one of these accounts for ``life_s`` seconds: only its owner may read it. It is there when it
    is whole.
    """
    part = file.with_name(f"{file.name}.part")
    signed = await auth.start_sessions(users, "demo", life_s)
    with open(part, "w", encoding="utf-8", opener=_private) as out:  # noqa: ASYNC230 - a command's own output
        for each in signed:
            line = {
                "user": each.user.id,
                "name": each.user.name,
                "token": each.access_token,
                "refresh_token": each.refresh_token,
                "groups": (inside := _by_size(store.directory, each.user.id)),
                "talks_in": [g for g in inside if store.directory.members(g)[each.user.id].may_talk],
            }
            out.write(json.dumps(line, ensure_ascii=False) + "\n")
    part.replace(file)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)


def _by_size(directory: Directory, user: UserId) -> list[GroupId]:
    """Smallest first: a person's own patrol before the whole city."""
    return sorted(directory.groups_of(user), key=lambda group: (len(directory.members(group)), group))


def _rank(user: User) -> int:
    order = [post.role for post in STAFF]
    return min((order.index(role) for role in user.roles if role in order), default=len(order))


async def _found(change: Change) -> None:
    agency = await units.create_agency(change, AGENCY)
    made: dict[str, UnitId] = {}
    for name, parent in UNITS.items():
        made[name] = await units.create_unit(change, agency, made[parent] if parent else None, name)
    plan = _Plan(change, agency, made, [])
    for post, number in _posts():
        badge = f"{post.badge}-{number:03d}"
        draft = UserDraft(agency, made[post.unit], name_of(len(plan.people)), frozenset({post.role}), badge=badge)
        plan.people.append((await people.create_user(change, draft), post.role, post.unit))
    for channel in CHANNELS:
        await _open(plan, channel)
    await cells.put_cells(change, list(streets.grid(agency, made)))


def _posts() -> Iterator[tuple[_Post, int]]:
    for post in STAFF:
        for number in range(1, post.count + 1):
            yield post, number


async def _open(plan: _Plan, channel: _Channel) -> None:
    draft = GroupDraft(
        plan.agency, plan.units[channel.unit], channel.name, channel.kind, channel.floor or FloorOptions()
    )
    group = await groups.create_group(plan.change, draft)
    inside = plan.in_units(channel.units)
    members = [
        _membership(group, user, role, channel.only_lead)
        for user, role, unit in plan.people
        if (unit in inside or role in channel.roles) and Right.LISTEN in RIGHTS[role]
    ]
    await groups.set_members(plan.change, group, members)


def _membership(group: GroupId, user: UserId, role: Role, only_lead: bool = False) -> Membership:
    leads = role in (Role.LEADER, *OFFICE)
    may_talk = Right.TALK in RIGHTS[role] and (leads or not only_lead)
    may_preempt = role in (Role.LEADER, Role.SHIFT_LEADER, Role.DISPATCHER)
    return Membership(group, user, may_talk, may_preempt, PRIORITY.get(role, 100))


async def _grow(store: Store, missing: int) -> None:
    """More officers, in patrols of their own; all of them also in the city-wide channels."""
    snapshot = store.directory.snapshot
    agency = next(iter(snapshot.agencies))
    teams = [unit.id for unit in snapshot.units.values() if unit.name.endswith("队")]
    wide = [(group.id, group.kind) for group in snapshot.groups.values() if group.name in ("应急频道", "全市广播")]
    there = len(snapshot.users)
    async with store.change() as change:
        made = await people.create_users(
            change,
            [
                UserDraft(agency, teams[n % len(teams)], name_of(n), frozenset({Role.OFFICER}), badge=f"XC-{n + 1:05d}")
                for n in range(there, there + missing)
            ],
        )
        for start in range(0, missing, PATROL_SIZE):
            number = (there + start) // PATROL_SIZE + 1
            patrol = await groups.create_group(
                change, GroupDraft(agency, teams[number % len(teams)], f"机动巡查{number}组")
            )
            part = made[start : start + PATROL_SIZE]
            await groups.set_members(change, patrol, [_membership(patrol, user, Role.OFFICER) for user in part])
        for group, kind in wide:
            only_lead = kind is GroupKind.BROADCAST
            await groups.set_members(
                change, group, [_membership(group, user, Role.OFFICER, only_lead) for user in made]
            )
