"""Shift handovers in SQL: an offer waits for the next dispatcher, who may come later."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, HandoverState, UserId
from poc_server.store import audit
from poc_server.store import tables as t
from poc_server.store.audit import AuditEntry
from poc_server.store.sql.statements import upsert


@dataclass(frozen=True, slots=True)
class KeptHandover:
    """One handover. ``content``: note, alerts, what is monitored and listened to, patches."""

    id: str
    agency: AgencyId
    by: UserId
    to: UserId
    offered_ms: int
    content: dict[str, Any] = field(default_factory=dict)
    state: HandoverState = HandoverState.OFFERED
    decided_ms: int | None = None


async def put(connection: AsyncConnection, kept: KeptHandover, entry: AuditEntry) -> None:
    """Keep it as it is now, with its audit."""
    row = {
        "id": kept.id,
        "agency_id": kept.agency,
        "by_id": kept.by,
        "to_id": kept.to,
        "state": kept.state.value,
        "offered_ms": kept.offered_ms,
        "decided_ms": kept.decided_ms,
        "content": kept.content,
    }
    await upsert(connection, t.handover, ["id"], [row], ["state", "decided_ms", "content"])
    await audit.append(connection, [entry])


async def open_ones(connection: AsyncConnection) -> list[KeptHandover]:
    """Those that wait for an answer, the oldest first."""
    query = (
        select(t.handover).where(t.handover.c.state == HandoverState.OFFERED.value).order_by(t.handover.c.offered_ms)
    )
    return [_kept(row) for row in (await connection.execute(query)).all()]


def _kept(row: Row[Any]) -> KeptHandover:
    return KeptHandover(
        row.id,
        AgencyId(row.agency_id),
        UserId(row.by_id),
        UserId(row.to_id),
        row.offered_ms,
        row.content,
        HandoverState(row.state),
        row.decided_ms,
    )
