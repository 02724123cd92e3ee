"""Who was a member of which group when: one may replay what was said while one was in, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import GroupId, UserId
from poc_server.store import tables as t
from poc_server.store.inserts import upsert


async def begin(connection: AsyncConnection, group: GroupId, users: Collection[UserId], at_ms: int) -> None:
    """These users are members from now on; whose period is open already keeps it."""
    open_now = _open(group).where(t.membership_period.c.user_id.in_(users))
    inside = set((await connection.execute(open_now)).scalars())
    rows = [
        {"group_id": group, "user_id": user, "from_ms": at_ms, "until_ms": None} for user in users if user not in inside
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
    """These groups go, and with them who was in them to the end."""
    p = t.membership_period.c
    over = update(t.membership_period).where(p.group_id.in_(groups), p.until_ms.is_(None))
    await connection.execute(over.values(until_ms=at_ms))
    # One that came back from the archive may go again: its latest end is the one.
    ends = [{"group_id": group, "at_ms": at_ms} for group in groups]
    await upsert(connection, t.group_end, ("group_id",), ends, ("at_ms",))


def _open(group: GroupId) -> Any:
    p = t.membership_period.c
    return select(p.user_id).where(p.group_id == group, p.until_ms.is_(None))
