"""Duty shifts (班次): who is on duty when, and groups whose members are those on duty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, or_, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, Refusal, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.city import groups
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.lookup import one, unit_of_agency
from poc_server.store.sql.statements import each_row, in_parts, update_each

MAX_SHIFT_MS = 7 * 86_400_000
USERS_AT_ONCE = 1_000
"""Named in one statement."""


@dataclass(frozen=True, slots=True)
class ShiftDraft:
    """What a shift shall be. Times in ms since the epoch."""

    agency: AgencyId
    unit: UnitId
    name: str
    starts_ms: int
    ends_ms: int
    users: frozenset[UserId]


async def create_shift(change: Change, draft: ShiftDraft) -> str:
    """A new shift. Refuses one that ends before it starts or lasts over a week (bad_message), strangers (not_found)."""
    return (await create_shifts(change, [draft]))[0]


async def create_shifts(change: Change, drafts: Sequence[ShiftDraft]) -> list[str]:
    """Many shifts, as `create_shift` makes one."""
    made = {new_id("sh"): draft for draft in drafts}
    if not made:
        return []
    await _check(change.connection, drafts)
    rows = [
        {**_columns(draft), "id": shift, "agency_id": draft.agency, "version": change.version}
        for shift, draft in made.items()
    ]
    await change.connection.execute(insert(t.shift), rows)
    await _put_users(change.connection, made)
    for shift, draft in made.items():
        change.note("shift", shift)
        change.record("shift.create", "shift", shift, _told(draft), draft.agency)
    return list(made)


async def update_shift(change: Change, shift: str, draft: ShiftDraft, expected: int | None = None) -> None:
    """Change a shift to ``draft``. Refuses as `create_shift`, and an older ``expected`` version (stale)."""
    await one(change.connection, t.shift, shift, expected)
    await update_shifts(change, {shift: draft})


async def update_shifts(change: Change, wanted: Mapping[str, ShiftDraft]) -> None:
    """Change many shifts, as `update_shift` does one. Refuses those of others (not_found)."""
    if not wanted:
        return
    query = select(t.shift.c.id, t.shift.c.agency_id).where(t.shift.c.id.in_(sorted(wanted)))
    agencies = {row.id: row.agency_id for row in (await change.connection.execute(query)).all()}
    if agencies != {shift: draft.agency for shift, draft in wanted.items()}:
        raise Refused(Refusal.NOT_FOUND, "shift")
    await _check(change.connection, list(wanted.values()))
    rows = {shift: {**_columns(draft), "version": change.version} for shift, draft in wanted.items()}
    await update_each(change.connection, t.shift, rows)
    await change.connection.execute(delete(t.shift_member).where(t.shift_member.c.shift_id.in_(sorted(wanted))))
    await _put_users(change.connection, wanted)
    for shift, draft in wanted.items():
        change.note("shift", shift)
        change.record("shift.update", "shift", shift, _told(draft), draft.agency)


async def delete_shift(change: Change, shift: str, expected: int | None = None) -> None:
    """Delete a shift."""
    row = await one(change.connection, t.shift, shift, expected)
    await change.connection.execute(delete(t.shift).where(t.shift.c.id == shift))
    change.note("shift", shift)
    change.record("shift.delete", "shift", shift, {"name": row.name}, row.agency_id)


async def shifts_page(
    connection: AsyncConnection,
    agency: AgencyId,
    from_ms: int,
    until_ms: int,
    limit: int,
    after: tuple[int, str] | None = None,
) -> list[tuple[Row[Any], frozenset[UserId]]]:
    """Shifts that touch the time from ``from_ms`` until before ``until_ms``, the earliest first.

    ``after``: start in ms and id of the last one of the page before.
    """
    query = (
        select(t.shift)
        .where(t.shift.c.agency_id == agency, t.shift.c.ends_ms > from_ms, t.shift.c.starts_ms < until_ms)
        .order_by(t.shift.c.starts_ms, t.shift.c.id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(t.shift.c.starts_ms, t.shift.c.id) > after)
    found = list((await connection.execute(query)).all())
    users: dict[str, set[UserId]] = {}
    members = select(t.shift_member).where(t.shift_member.c.shift_id.in_([row.id for row in found]))
    async for row in each_row(connection, members):
        users.setdefault(row.shift_id, set()).add(UserId(row.user_id))
    return [(row, frozenset(users.get(row.id, ()))) for row in found]


async def shift_row(connection: AsyncConnection, shift: str) -> tuple[Row[Any], frozenset[UserId]]:
    """One shift and who is in it. Refuses one that is not there (not_found)."""
    row = await one(connection, t.shift, shift)
    members = select(t.shift_member.c.user_id).where(t.shift_member.c.shift_id == shift)
    return row, frozenset((await connection.execute(members)).scalars())


def next_boundary(snapshot: Snapshot, after_ms: int) -> int | None:
    """When the next shift begins or ends."""
    times = (at for shift in snapshot.shifts.values() for at in (shift.starts_ms, shift.ends_ms) if at > after_ms)
    return min(times, default=None)


async def due(
    connection: AsyncConnection, snapshot: Snapshot, at_ms: int
) -> dict[GroupId, tuple[list[Any], list[Any]]]:
    """For each group that follows duty: who shall join and who shall leave now; groups without change left out."""
    followed = select(t.membership.c.group_id).where(t.membership.c.by_duty.is_(True))
    query = select(t.group.c.id, t.group.c.duty_unit_id).where(
        or_(t.group.c.duty_unit_id.is_not(None), t.group.c.id.in_(followed))
    )
    found: dict[GroupId, tuple[list[Any], list[Any]]] = {}
    for row in (await connection.execute(query)).all():
        below = snapshot.unit_subtree(row.duty_unit_id) if row.duty_unit_id else frozenset()
        wanted = {
            user
            for shift in snapshot.shifts.values()
            if shift.unit in below and shift.runs(at_ms)
            for user in shift.users
            if user in snapshot.users
        }
        there = select(t.membership.c.user_id, t.membership.c.by_duty).where(t.membership.c.group_id == row.id)
        members = {each.user_id: each.by_duty for each in (await connection.execute(there)).all()}
        joins = sorted(wanted - members.keys())
        leaves = sorted(user for user, by_duty in members.items() if by_duty and user not in wanted)
        if joins or leaves:
            found[GroupId(row.id)] = (joins, leaves)
    return found


async def settle(change: Change, snapshot: Snapshot) -> None:
    """Let those whose shift begins join the groups that follow duty, and those whose shift is over leave."""
    for group, (joins, leaves) in (await due(change.connection, snapshot, change.at_ms)).items():
        await groups.remove_members(change, group, leaves)
        await groups.set_members(change, group, [Membership(group, user) for user in joins], by_duty=True)


async def _check(connection: AsyncConnection, drafts: Sequence[ShiftDraft]) -> None:
    if any(not 0 < draft.ends_ms - draft.starts_ms <= MAX_SHIFT_MS for draft in drafts):
        raise Refused(Refusal.BAD_MESSAGE, "times of the shift")
    for agency, unit in sorted({(draft.agency, draft.unit) for draft in drafts}):
        await unit_of_agency(connection, agency, unit)
    wanted = {(user, draft.agency) for draft in drafts for user in draft.users}
    for part in in_parts(sorted({user for user, _ in wanted}), USERS_AT_ONCE):
        query = select(t.user.c.id, t.user.c.agency_id).where(t.user.c.id.in_(part))
        wanted -= {(UserId(row.id), AgencyId(row.agency_id)) for row in (await connection.execute(query)).all()}
    if wanted:
        raise Refused(Refusal.NOT_FOUND, "user")


async def _put_users(connection: AsyncConnection, shifts: Mapping[str, ShiftDraft]) -> None:
    rows = [{"shift_id": shift, "user_id": user} for shift, draft in shifts.items() for user in sorted(draft.users)]
    if rows:
        await connection.execute(insert(t.shift_member), rows)


def _columns(draft: ShiftDraft) -> dict[str, Any]:
    return {
        "unit_id": draft.unit,
        "name": clean(draft.name),
        "starts_ms": draft.starts_ms,
        "ends_ms": draft.ends_ms,
    }


def _told(draft: ShiftDraft) -> dict[str, Any]:
    return {**_columns(draft), "users": sorted(draft.users)}
