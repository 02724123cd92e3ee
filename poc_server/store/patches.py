"""Patches in SQL: which groups are joined just now, so that they still are when a node comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, GroupId, UserId
from poc_server.store import audit
from poc_server.store import tables as t
from poc_server.store.audit import AuditEntry


@dataclass(frozen=True, slots=True)
class KeptPatch:
    """Groups that are joined. ``by``: whose patch it is now; ``since_ms`` since the epoch."""

    id: GroupId
    agency: AgencyId
    by: UserId
    name: str
    groups: tuple[GroupId, ...]
    since_ms: int


async def put(connection: AsyncConnection, kept: KeptPatch, entry: AuditEntry) -> None:
    """Keep a new one, with its audit."""
    row = {
        "id": kept.id,
        "agency_id": kept.agency,
        "by_id": kept.by,
        "name": kept.name,
        "groups": list(kept.groups),
        "since_ms": kept.since_ms,
    }
    await connection.execute(insert(t.patch).values(row))
    await audit.append(connection, [entry])


async def give(connection: AsyncConnection, patches: Iterable[GroupId], to: UserId) -> None:
    """They are another dispatcher's from now on."""
    await connection.execute(update(t.patch).where(t.patch.c.id.in_(list(patches))).values(by_id=to))


async def remove(connection: AsyncConnection, patch: GroupId, entry: AuditEntry) -> None:
    """It is no more, and why stands in the audit; nothing happens when it was removed before."""
    if (await connection.execute(delete(t.patch).where(t.patch.c.id == patch))).rowcount:
        await audit.append(connection, [entry])


async def kept_ones(connection: AsyncConnection) -> list[KeptPatch]:
    """All of them, the oldest first: of two that claim one group the older one stands."""
    rows = (await connection.execute(select(t.patch).order_by(t.patch.c.since_ms, t.patch.c.id))).all()
    return [
        KeptPatch(
            GroupId(row.id),
            AgencyId(row.agency_id),
            UserId(row.by_id),
            row.name,
            tuple(GroupId(group) for group in row.groups),
            row.since_ms,
        )
        for row in rows
    ]
