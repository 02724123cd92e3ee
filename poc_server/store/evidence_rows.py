"""The rows that stand beside the evidence chain: what they tell, and those that no entry speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.ground.chain import Kind
from poc_server.store import tables as t
from poc_server.store.journal import bursts
from poc_server.store.records import materials
from poc_server.store.records.materials import MaterialState


async def told(connection: AsyncConnection, subjects: Sequence[str]) -> dict[str, dict[str, Any]]:
    """What the rows of these recordings, photos and notes tell, by subject and the names of their sealed records."""
    b, m = t.burst.c, t.material.c
    voices = await connection.execute(select(t.burst).where(b.key.in_(subjects)))
    found = {row.key: bursts.told(row) for row in voices}
    kept = select(t.material).where(m.id.in_(subjects), m.state == MaterialState.KEPT.value)
    return found | {row.id: materials.told(row) for row in await connection.execute(kept)}


async def unsealed(connection: AsyncConnection, group: str | None = None) -> list[tuple[str, str]]:
    """Group and subject of every row, or of those of one group, that no entry of the chain speaks of."""
    b, m, e = t.burst.c, t.material.c, t.evidence.c
    voices = select(b.group_id, b.key).where(~exists().where(e.subject == b.key, e.kind == Kind.BURST.value))
    kept = select(m.group_id, m.id).where(
        m.state == MaterialState.KEPT.value, ~exists().where(e.subject == m.id, e.kind == m.kind)
    )
    if group is not None:
        voices, kept = voices.where(b.group_id == group), kept.where(m.group_id == group)
    return [(row[0], row[1]) for query in (voices, kept) for row in await connection.execute(query)]
