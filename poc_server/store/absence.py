"""When people were last connected, and how long they had been away before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import UserId
from poc_server.store import tables as t
from poc_server.store.inserts import upsert


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


async def returned(connection: AsyncConnection, user: UserId, away: Away) -> Away | None:
    """Somebody is back, away from ``away.from_ms`` at the earliest; how long it was, None for one never here before."""
    row = (await connection.execute(select(t.absence).where(t.absence.c.user_id == user))).one_or_none()
    if row is None:
        await seen(connection, {user: away.until_ms})
        return None
    away = Away(max(row.seen_ms, away.from_ms), away.until_ms)
    values = {"away_from_ms": away.from_ms, "away_until_ms": away.until_ms, "seen_ms": away.until_ms}
    await connection.execute(update(t.absence).where(t.absence.c.user_id == user).values(**values))
    return away


async def last_away(connection: AsyncConnection, user: UserId) -> Away | None:
    """The time somebody was away before he was last back."""
    row = (await connection.execute(select(t.absence).where(t.absence.c.user_id == user))).one_or_none()
    if row is None or row.away_from_ms is None or row.away_until_ms is None:
        return None
    return Away(row.away_from_ms, row.away_until_ms)
