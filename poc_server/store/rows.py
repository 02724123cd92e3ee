"""SQL rows to the frozen data of the house, and the loading of all or of what changed."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.floor.options import FloorOptions
from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, DeviceId, GroupId, GroupKind, Role, UnitId, UserId, UserKind
from poc_server.store import tables as t
from poc_server.store.snapshot import Delta, Device, Snapshot, children

T = TypeVar("T")
SLICE = 500
"""Rows made into objects before the loop may do something else."""
IN_LIMIT = 300
"""Values in one ``IN (…)``."""
RELOAD_BEYOND = 5_000
"""More changes than this are not patched one by one: everything is loaded anew."""

_FLOOR_FIELDS = {f.name for f in dataclasses.fields(FloorOptions)}


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


def group_of(row: Row[Any]) -> Group:
    """A row of ``talk_group``."""
    return Group(
        id=GroupId(row.id),
        agency=AgencyId(row.agency_id),
        unit=UnitId(row.unit_id),
        name=row.name,
        kind=GroupKind(row.kind),
        floor=floor_of(row.floor),
        emergency_allowed=row.emergency_allowed,
        enabled=row.enabled,
    )


def membership_of(row: Row[Any]) -> Membership:
    """A row of ``membership``."""
    return Membership(GroupId(row.group_id), UserId(row.user_id), row.may_talk, row.may_preempt, row.priority)


def device_of(row: Row[Any]) -> Device:
    """A row of ``device``."""
    return Device(DeviceId(row.id), AgencyId(row.agency_id), row.user_id and UserId(row.user_id), row.name, row.enabled)


async def load(connection: AsyncConnection, sessions_since: int) -> Snapshot:
    """Everything, in slices, so that a city of 100,000 does not hold up voice."""
    version = await version_of(connection)
    roles = await _roles(connection, select(t.role))
    agencies = {a.id: a async for a in _each(connection, select(t.agency), agency_of)}
    units = {u.id: u async for u in _each(connection, select(t.unit), unit_of)}
    users = {
        u.id: u async for u in _each(connection, select(t.user), lambda r: user_of(r, roles.get(r.id, frozenset())))
    }
    groups = {g.id: g async for g in _each(connection, select(t.group), group_of)}
    devices = {d.id: d async for d in _each(connection, select(t.device), device_of)}
    members: dict[GroupId, dict[UserId, Membership]] = {}
    of_user: dict[UserId, set[GroupId]] = {}
    async for m in _each(connection, select(t.membership), membership_of):
        members.setdefault(m.group, {})[m.user] = m
        of_user.setdefault(m.user, set()).add(m.group)
    ended = select(t.session.c.id, t.session.c.ended_ms).where(t.session.c.ended_ms >= sessions_since)
    return Snapshot(
        version=version,
        agencies=agencies,
        units=units,
        users=users,
        groups=groups,
        devices=devices,
        members=members,
        groups_by_user={user: frozenset(found) for user, found in of_user.items()},
        units_below=children(units.values()),
        ended_sessions={row.id: row.ended_ms for row in (await connection.execute(ended)).all()},
    )


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


async def _delta(connection: AsyncConnection, version: int, touched: Mapping[str, set[tuple[str, str]]]) -> Delta:
    def ids(kind: str) -> list[str]:
        return sorted({target for target, _ in touched.get(kind, ())})

    user_ids = ids("user")
    roles: dict[str, frozenset[Role]] = {}
    for part in _parts(user_ids):
        roles.update(await _roles(connection, select(t.role).where(t.role.c.user_id.in_(part))))
    pairs = sorted(touched.get("membership", ()))
    members: dict[tuple[GroupId, UserId], Membership | None] = {(GroupId(g), UserId(u)): None for g, u in pairs}
    key = tuple_(t.membership.c.group_id, t.membership.c.user_id)
    async for m in _found(connection, select(t.membership), key, pairs, membership_of):
        members[m.group, m.user] = m
    ended: dict[str, int] = {}
    for part in _parts(ids("session")):
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
        groups=await fresh("group", t.group, group_of),
        devices=await fresh("device", t.device, device_of),
        members=members,
        ended_sessions=ended,
    )


async def _roles(connection: AsyncConnection, query: Select[Any]) -> dict[str, frozenset[Role]]:
    found: dict[str, set[Role]] = {}
    async for user, role in _each(connection, query, lambda row: (row.user_id, Role(row.role))):
        found.setdefault(user, set()).add(role)
    return {user: frozenset(held) for user, held in found.items()}


async def _each(connection: AsyncConnection, query: Select[Any], make: Callable[[Row[Any]], T]) -> AsyncIterator[T]:
    async with connection.stream(query) as result:
        async for part in result.partitions(SLICE):
            for row in part:
                yield make(row)


async def _found(
    connection: AsyncConnection,
    query: Select[Any],
    key: ColumnElement[Any],
    values: list[Any],
    make: Callable[[Row[Any]], T],
) -> AsyncIterator[T]:
    for part in _parts(values):
        async for item in _each(connection, query.where(key.in_(part)), make):
            yield item


def _parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    listed = list(values)
    for start in range(0, len(listed), IN_LIMIT):
        yield listed[start : start + IN_LIMIT]
