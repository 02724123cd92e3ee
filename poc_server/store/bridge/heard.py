"""Signed messages that were taken, so that none is taken twice: by whatever node, before or after a restart.

A signature says who told something, not that it is told now, and it does not cover where it was sent. So each message
is bound to what it was first sent to, and each piece of it is written here in the transaction that takes it.
``now`` is ms since the epoch.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store.sql.statements import insert_new
from poc_server.store.tables import bridge as t

KEPT_MS = 86_400_000
"""How long a message is known. Its time is good for minutes; its sender may sign it anew while he gets no answer."""
_WHOLE = -1
_TARGET_CHARS = 200


@dataclass(frozen=True, slots=True)
class Heard:
    """A piece of a signed message: ``part`` of those it has. ``mark``: of the message (`gateway.webhooks.verify`)."""

    sender: str
    mark: str
    part: int = 0


async def bind(connection: AsyncConnection, message: Heard, target: str, now: int) -> bool:
    """Whether this message may go to ``target``: it is new, or went there before."""
    whole, wanted = replace(message, part=_WHOLE), target[:_TARGET_CHARS]
    await insert_new(connection, t.heard, [_row(whole, wanted, now)])
    c = t.heard.c
    this = (c.sender_id == whole.sender) & (c.mark == whole.mark) & (c.part == _WHOLE)
    found: str | None = await connection.scalar(select(c.target).where(this))
    return found == wanted


async def taken(connection: AsyncConnection, pieces: Collection[Heard]) -> set[Heard]:
    """Those of these that were taken before."""
    c, wanted = t.heard.c, set(pieces)
    if not wanted:
        return set()
    rows = await connection.execute(
        select(c.sender_id, c.mark, c.part).where(c.mark.in_(sorted({each.mark for each in wanted})))
    )
    return wanted & {Heard(row.sender_id, row.mark, row.part) for row in rows}


async def note(connection: AsyncConnection, pieces: Collection[Heard], now: int) -> None:
    """These are taken, by this transaction."""
    if pieces:
        await insert_new(connection, t.heard, [_row(each, "", now) for each in pieces])


async def forget(connection: AsyncConnection, now: int) -> None:
    """Drops those that are old enough."""
    await connection.execute(delete(t.heard).where(t.heard.c.until_ms < now))


def _row(piece: Heard, target: str, now: int) -> dict[str, Any]:
    key = {"sender_id": piece.sender, "mark": piece.mark, "part": piece.part}
    return {**key, "target": target, "until_ms": now + KEPT_MS}
