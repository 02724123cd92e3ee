"""SQL rows to the frozen data of the house, and the loading of all or of what changed."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.calls.rules import CallRules
from groups.floor.options import FloorOptions
from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, DeviceId, GroupId, GroupKind, Role, UnitId, UserId, UserKind
from poc_server.ground.collector import collector_resting
from poc_server.store import tables as t
from poc_server.store.directory.snapshot import Delta, Device, Shift, Snapshot, children
from poc_server.store.sql.statements import SLICE, each_row, in_parts

T = TypeVar("T")
WHOLE_FROM = 5
"""So many changed members of one group: all of its members are read."""
RELOAD_BEYOND = 5_000
"""More changes than this are not patched one by one: everything is loaded anew."""

_FLOOR_FIELDS = {f.name for f in dataclasses.fields(FloorOptions)}
_CALL_FIELDS = {f.name for f in dataclasses.fields(CallRules)}


def agency_of(row: Row[Any]) -> Agency:
    """A row of ``agency``."""
    return Agency(AgencyId(row.id), row.name)


def unit_of(row: Row[Any]) -> Unit:
    """A row of ``unit``."""
    return Unit(UnitId(row.id), AgencyId(row.agency_id), row.parent_id and UnitId(row.parent_id), row.name)


def user_of(row: Row[Any], roles: frozenset[Role]) -> User:
    """A row of ``users`` with its roles."""
    return User(
        id=UserId(row.id),
        agency=AgencyId(row.agency_id),
        unit=UnitId(row.unit_id),
        name=row.name,
        roles=roles,
        kind=UserKind(row.kind),
        badge=row.badge,
        enabled=row.enabled,
        talk_banned=row.talk_banned,
    )


def floor_of(stored: Mapping[str, Any]) -> FloorOptions:
    """Floor options from their JSON; an option this program does not know is left out, a missing one is default."""
    return FloorOptions(**{key: value for key, value in stored.items() if key in _FLOOR_FIELDS})


def call_of(stored: Mapping[str, Any]) -> CallRules:
    """Call rules from their JSON, read as `floor_of` reads."""
    return CallRules(**{key: value for key, value in stored.items() if key in _CALL_FIELDS})


def group_of(row: Row[Any], shared_with: frozenset[AgencyId] = frozenset()) -> Group:
    """A row of ``talk_group`` and the agencies it is shared with."""
    return Group(
        id=GroupId(row.id),
        agency=AgencyId(row.agency_id),
        unit=UnitId(row.unit_id),
        name=row.name,
        kind=GroupKind(row.kind),
        floor=floor_of(row.floor),
        emergency_allowed=row.emergency_allowed,
        enabled=row.enabled,
        monitoring_allowed=row.monitoring_allowed,
        shared_with=shared_with,
        call=call_of(row.call_rules or {}),
    )


def shift_of(row: Row[Any], users: frozenset[UserId]) -> Shift:
    """A row of ``duty_shift`` with its people."""
    return Shift(row.id, AgencyId(row.agency_id), UnitId(row.unit_id), row.name, row.starts_ms, row.ends_ms, users)


def membership_of(row: Row[Any]) -> Membership:
    """A row of ``membership``."""
    return Membership(GroupId(row.group_id), UserId(row.user_id), row.may_talk, row.may_preempt, row.priority)


def device_of(row: Row[Any]) -> Device:
    """A row of ``device``."""
    return Device(DeviceId(row.id), AgencyId(row.agency_id), row.user_id and UserId(row.user_id), row.name, row.enabled)


async def load(connection: AsyncConnection, since_ms: int) -> Snapshot:
    """Everything, in slices, so that a city of 100,000 does not hold up voice.

    Sessions and shifts that ended before ``since_ms`` are left out; of shifts it stays when the last of a unit ended.
    """
    with collector_resting():
        return await _load(connection, since_ms)


async def _load(connection: AsyncConnection, since_ms: int) -> Snapshot:
    version = await version_of(connection)
    roles = await _gathered(connection, _ROLES)
    shared = await _gathered(connection, _SHARES)
    agencies = {a.id: a async for a in _each(connection, select(t.agency), agency_of)}
    units = {u.id: u async for u in _each(connection, select(t.unit), unit_of)}
    users = {
        u.id: u async for u in _each(connection, select(t.user), lambda r: user_of(r, roles.get(r.id, frozenset())))
    }
    groups = {
        g.id: g async for g in _each(connection, select(t.group), lambda r: group_of(r, shared.get(r.id, frozenset())))
    }
    devices = {d.id: d async for d in _each(connection, select(t.device), device_of)}
    members: dict[GroupId, dict[UserId, Membership]] = {}
    of_user: dict[UserId, set[GroupId]] = {}
    async for m in _each(connection, select(t.membership), membership_of):
        members.setdefault(m.group, {})[m.user] = m
        of_user.setdefault(m.user, set()).add(m.group)
    ended = select(t.session.c.id, t.session.c.ended_ms).where(t.session.c.ended_ms >= since_ms)
    on_shift = await _gathered(connection, _SHIFT_MEMBERS)
    coming = select(t.shift).where(t.shift.c.ends_ms > since_ms)
    shifts = {s.id: s async for s in _each(connection, coming, lambda r: shift_of(r, on_shift.get(r.id, frozenset())))}
    return Snapshot(
        version=version,
        agencies=agencies,
        units=units,
        users=users,
        groups=groups,
        devices=devices,
        members=members,
        groups_by_user=await _frozen(of_user),
        units_below=children(units.values()),
        shifts=shifts,
        shifts_of=await _shifts_of(shifts.values()),
        planned_until=await _planned_until(connection),
        ended_sessions=dict([pair async for pair in _each(connection, ended, lambda r: (r.id, r.ended_ms))]),
    )


async def _shifts_of(shifts: Iterable[Shift]) -> dict[UserId, tuple[Shift, ...]]:
    found: dict[UserId, tuple[Shift, ...]] = {}
    for number, shift in enumerate(shifts, 1):
        for user in shift.users:
            found[user] = (*found.get(user, ()), shift)
        if number % SLICE == 0:
            await asyncio.sleep(0)
    return found


async def _planned_until(connection: AsyncConnection) -> dict[UnitId, int]:
    """When the last shift ends that was ever planned for each unit."""
    query = select(t.shift.c.unit_id, func.max(t.shift.c.ends_ms).label("ends_ms")).group_by(t.shift.c.unit_id)
    return {UnitId(row.unit_id): row.ends_ms for row in (await connection.execute(query)).all()}


async def _frozen(of_user: dict[UserId, set[GroupId]]) -> dict[UserId, frozenset[GroupId]]:
    made = {}
    for number, (user, found) in enumerate(of_user.items()):
        made[user] = frozenset(found)
        if number % (10 * SLICE) == 0:
            await asyncio.sleep(0)
    return made


async def version_of(connection: AsyncConnection) -> int:
    """The directory version that SQL is at."""
    return int(await connection.scalar(select(t.directory_version.c.version)) or 0)


async def changes_since(connection: AsyncConnection, version: int) -> Delta | None:
    """What changed after ``version``; None when that is too much or too long ago to tell: load everything."""
    newest = await version_of(connection)
    if newest == version:
        return Delta(version)
    log = t.directory_change
    rows = (
        await connection.execute(
            select(log.c.version, log.c.kind, log.c.target_id, log.c.other_id)
            .where(log.c.version > version)
            .order_by(log.c.version)
            .limit(RELOAD_BEYOND + 1)
        )
    ).all()
    if newest < version or len(rows) > RELOAD_BEYOND or not rows or rows[0].version != version + 1:
        return None
    touched: dict[str, set[tuple[str, str]]] = {}
    for row in rows:
        touched.setdefault(row.kind, set()).add((row.target_id, row.other_id))
    return await _delta(connection, newest, touched)


async def again(connection: AsyncConnection, version: int, users: Iterable[str], devices: Iterable[str]) -> Delta:
    """These people and devices as SQL holds them now, for who is at ``version``."""
    touched = {"user": {(user, "") for user in users}, "device": {(device, "") for device in devices}}
    return await _delta(connection, version, touched)


async def _delta(connection: AsyncConnection, version: int, touched: Mapping[str, set[tuple[str, str]]]) -> Delta:
    def ids(kind: str) -> list[str]:
        return sorted({target for target, _ in touched.get(kind, ())})

    roles = await _gathered(connection, _ROLES, ids("user"))
    shared = await _gathered(connection, _SHARES, ids("group"))
    on_shift = await _gathered(connection, _SHIFT_MEMBERS, ids("shift"))
    pairs = sorted(touched.get("membership", ()))
    members: dict[tuple[GroupId, UserId], Membership | None] = {(GroupId(g), UserId(u)): None for g, u in pairs}
    whole, single = _by_group(pairs)
    async for m in _found(connection, select(t.membership), t.membership.c.group_id, whole, membership_of):
        if (m.group, m.user) in members:
            members[m.group, m.user] = m
    key = tuple_(t.membership.c.group_id, t.membership.c.user_id)
    async for m in _found(connection, select(t.membership), key, single, membership_of):
        members[m.group, m.user] = m
    ended: dict[str, int] = {}
    for part in in_parts(ids("session")):
        query = select(t.session.c.id, t.session.c.ended_ms).where(t.session.c.id.in_(part))
        ended.update({row.id: row.ended_ms for row in (await connection.execute(query)).all() if row.ended_ms})

    async def fresh(kind: str, table: Any, make: Callable[[Row[Any]], Any]) -> dict[Any, Any]:
        wanted = ids(kind)
        made: dict[Any, Any] = dict.fromkeys(wanted)
        async for item in _found(connection, select(table), table.c.id, wanted, make):
            made[item.id] = item
        return made

    return Delta(
        version=version,
        agencies=await fresh("agency", t.agency, agency_of),
        units=await fresh("unit", t.unit, unit_of),
        users=await fresh("user", t.user, lambda r: user_of(r, roles.get(r.id, frozenset()))),
        groups=await fresh("group", t.group, lambda r: group_of(r, shared.get(r.id, frozenset()))),
        devices=await fresh("device", t.device, device_of),
        members=members,
        shifts=await fresh("shift", t.shift, lambda r: shift_of(r, on_shift.get(r.id, frozenset()))),
        planned_until=await _planned_until(connection) if "shift" in touched else None,
        ended_sessions=ended,
        cells=frozenset(ids("cell")),
    )


def _by_group(pairs: list[tuple[str, str]]) -> tuple[list[str], list[tuple[str, str]]]:
    """Groups whose members are read all at once, for many of them changed; and the pairs of the others.

    To name hundreds of pairs in one statement costs the loop milliseconds; incidents bring ten members a group.
    """
    number = Counter(group for group, _ in pairs)
    whole = [group for group, count in number.items() if count >= WHOLE_FROM]
    return whole, [pair for pair in pairs if number[pair[0]] < WHOLE_FROM]


@dataclass(frozen=True, slots=True)
class _Gathering:
    """A table of pairs that is read as owner → set of what it has."""

    query: Select[Any]
    owner: ColumnElement[Any]
    make: Callable[[Row[Any]], tuple[str, Any]]


_ROLES = _Gathering(select(t.role), t.role.c.user_id, lambda row: (row.user_id, Role(row.role)))
_SHARES = _Gathering(
    select(t.group_share).where(t.group_share.c.granted_ms.is_not(None)),
    t.group_share.c.group_id,
    lambda row: (row.group_id, AgencyId(row.agency_id)),
)
_SHIFT_MEMBERS = _Gathering(
    select(t.shift_member), t.shift_member.c.shift_id, lambda row: (row.shift_id, UserId(row.user_id))
)


async def _gathered(
    connection: AsyncConnection, what: _Gathering, owners: list[str] | None = None
) -> dict[str, frozenset[Any]]:
    """All pairs, or those of some owners."""
    found: dict[str, set[Any]] = {}
    if owners is None:
        async for owner, item in _each(connection, what.query, what.make):
            found.setdefault(owner, set()).add(item)
    else:
        async for owner, item in _found(connection, what.query, what.owner, owners, what.make):
            found.setdefault(owner, set()).add(item)
    return {owner: frozenset(items) for owner, items in found.items()}


async def _each(connection: AsyncConnection, query: Select[Any], make: Callable[[Row[Any]], T]) -> AsyncIterator[T]:
    async for row in each_row(connection, query):
        yield make(row)


async def _found(
    connection: AsyncConnection,
    query: Select[Any],
    key: ColumnElement[Any],
    values: list[Any],
    make: Callable[[Row[Any]], T],
) -> AsyncIterator[T]:
    for part in in_parts(values):
        async for item in _each(connection, query.where(key.in_(part)), make):
            yield item
