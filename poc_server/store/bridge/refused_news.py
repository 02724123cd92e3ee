"""News of cases that could not be taken, kept for whoever maintains the mapping."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store.ids import clean
from poc_server.store.sql.statements import insert_new
from poc_server.store.tables import bridge as t
from signaling.limits import MAX_REFUSED_NEWS

REFUSED_BODY_CHARS = 20_000
"""So much of each: enough to see what the mapping did not take."""


async def refuse(
    connection: AsyncConnection, sender: str, now: int, code: str, faults: Sequence[str], body: str
) -> bool:
    """Keeps news that could not be taken; the oldest beyond `MAX_REFUSED_NEWS` go. False: they are kept already.

    A list that is polled holds the same row for days, and whoever is refused sends again. ``now``: ms since the epoch.
    """
    row = {
        "sender_id": sender,
        "code": clean(code)[:64],
        "faults": [clean(fault) for fault in faults],
        "body": clean(body)[:REFUSED_BODY_CHARS],
    }
    key = "rn-" + hashlib.sha256(json.dumps(row, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    if await connection.scalar(select(t.refused_news.c.id).where(t.refused_news.c.id == key)) is not None:
        return False
    await insert_new(connection, t.refused_news, [{**row, "id": key, "at_ms": now}])
    kept = select(t.refused_news.c.id).order_by(t.refused_news.c.at_ms.desc()).limit(MAX_REFUSED_NEWS)
    await connection.execute(delete(t.refused_news).where(t.refused_news.c.id.not_in(kept)))
    return True


async def newest(connection: AsyncConnection, limit: int) -> list[Row[Any]]:
    """The newest pieces of news that could not be taken."""
    query = select(t.refused_news).order_by(t.refused_news.c.at_ms.desc()).limit(limit)
    return list((await connection.execute(query)).all())
