"""When people were last connected, and how long they had been away before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import UserId
from poc_server.store import tables as t
from poc_server.store.sql.statements import insert_new, upsert


@dataclass(frozen=True, slots=True)
class Away:
    """A time somebody was away, ms since the epoch."""

    from_ms: int
    until_ms: int


async def seen(connection: AsyncConnection, when: Mapping[UserId, int]) -> None:
    """When these people were last connected (ms since the epoch)."""
    rows = [{"user_id": user, "seen_ms": at_ms} for user, at_ms in sorted(when.items())]
    if rows:
        await upsert(connection, t.absence, ("user_id",), rows, ("seen_ms",))


async def met(connection: AsyncConnection, when: Mapping[UserId, int]) -> None:
    """When these people were connected, of whom nothing was known; who is known stays as he is."""
    if when:
        await insert_new(connection, t.absence, [{"user_id": user, "seen_ms": at} for user, at in sorted(when.items())])


async def none_in_the_future(connection: AsyncConnection, now_ms: int) -> int:
    """The clock was set back while no server ran: what lies ahead goes back by as much as the last of it is ahead.

    Returns how much that is, in ms.
    """
    seen = t.absence.c.seen_ms
    ahead = max(0, int(await connection.scalar(select(func.max(seen))) or 0) - now_ms)
    if ahead:
        await connection.execute(update(t.absence).where(seen > now_ms).values(seen_ms=seen - ahead))
    return ahead


async def returned(connection: AsyncConnection, back: Mapping[UserId, Away]) -> dict[UserId, Away]:
    """These people are back, away from ``from_ms`` at the earliest; of those who were here before: how long.

    The same return said again gives the same.
    """
    rows = await connection.execute(select(t.absence).where(t.absence.c.user_id.in_(sorted(back))))
    away = {}
    for row in rows:
        said = back[UserId(row.user_id)]
        known = row.away_until_ms == said.until_ms
        away[UserId(row.user_id)] = Away(row.away_from_ms if known else max(row.seen_ms, said.from_ms), said.until_ms)
    if away:
        change = (
            update(t.absence)
            .where(t.absence.c.user_id == bindparam("user"))
            .values(away_from_ms=bindparam("began"), away_until_ms=bindparam("ended"), seen_ms=bindparam("ended"))
        )
        values = [{"user": user, "began": each.from_ms, "ended": each.until_ms} for user, each in away.items()]
        await connection.execute(change, values)
    await seen(connection, {user: each.until_ms for user, each in back.items() if user not in away})
    return away


async def last_away(connection: AsyncConnection, user: UserId) -> Away | None:
    """The time somebody was away before he was last back."""
    row = (await connection.execute(select(t.absence).where(t.absence.c.user_id == user))).one_or_none()
    if row is None or row.away_from_ms is None or row.away_until_ms is None:
        return None
    return Away(row.away_from_ms, row.away_until_ms)
