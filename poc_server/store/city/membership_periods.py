"""Who was a member of which group when: one may replay what was said while one was in, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, GroupId, UnitId, UserId
from poc_server.store import tables as t
from poc_server.store.sql.lookup import Pair, pairs_of
from poc_server.store.sql.statements import upsert


async def begin(connection: AsyncConnection, pairs: Collection[Pair], at_ms: int) -> None:
    """These users are members from now on; whose period is open already keeps it."""
    p = t.membership_period.c
    open_now = select(p.group_id, p.user_id).where(pairs_of(t.membership_period, pairs), p.until_ms.is_(None))
    inside = {(row.group_id, row.user_id) for row in (await connection.execute(open_now)).all()}
    rows = [
        {"group_id": group, "user_id": user, "from_ms": at_ms, "until_ms": None}
        for group, user in pairs
        if (group, user) not in inside
    ]
    if rows:
        # Out and in again within one millisecond, or after the clock was set back to it: the same period goes on.
        await upsert(connection, t.membership_period, ("group_id", "user_id", "from_ms"), rows, ("until_ms",))


async def end(connection: AsyncConnection, group: GroupId, users: Collection[UserId], at_ms: int) -> None:
    """These users are members no longer."""
    p = t.membership_period.c
    theirs = update(t.membership_period).where(p.group_id == group, p.user_id.in_(users), p.until_ms.is_(None))
    await connection.execute(theirs.values(until_ms=at_ms))


async def end_all(connection: AsyncConnection, groups: Collection[GroupId], at_ms: int) -> None:
    """These groups are about to go, and with them who was in them to the end."""
    p = t.membership_period.c
    over = update(t.membership_period).where(p.group_id.in_(groups), p.until_ms.is_(None))
    await connection.execute(over.values(until_ms=at_ms))
    # One that came back from the archive may go again: its latest end is the one.
    g = t.group.c
    homes = await connection.execute(select(g.id, g.agency_id, g.unit_id).where(g.id.in_(groups)))
    ends = [
        {"group_id": row.id, "at_ms": at_ms, "agency_id": row.agency_id, "unit_id": row.unit_id} for row in homes.all()
    ]
    if ends:
        await upsert(connection, t.group_end, ("group_id",), ends, ("at_ms", "agency_id", "unit_id"))


@dataclass(frozen=True, slots=True)
class Home:
    """Whose a group is or was."""

    group: GroupId
    agency: AgencyId
    unit: UnitId | None


async def was_in(connection: AsyncConnection, group: GroupId, user: UserId, at_ms: int) -> bool:
    """Whether ``user`` was a member of ``group`` then, whatever became of either since."""
    p = t.membership_period.c
    query = select(p.user_id).where(
        p.group_id == group, p.user_id == user, p.from_ms <= at_ms, or_(p.until_ms.is_(None), p.until_ms >= at_ms)
    )
    return (await connection.execute(query.limit(1))).first() is not None


async def home_of(connection: AsyncConnection, group: GroupId) -> Home | None:
    """Whose ``group`` is, or was before it went; None when that is not known."""
    for query in (
        select(t.group.c.agency_id, t.group.c.unit_id).where(t.group.c.id == group),
        select(t.group_end.c.agency_id, t.group_end.c.unit_id).where(
            t.group_end.c.group_id == group, t.group_end.c.agency_id.is_not(None)
        ),
    ):
        row = (await connection.execute(query)).one_or_none()
        if row is not None:
            return Home(group, AgencyId(row.agency_id), UnitId(row.unit_id) if row.unit_id else None)
    return None
