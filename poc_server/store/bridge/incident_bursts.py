"""Recorded bursts as incidents see them: the transaction that writes a burst's row puts its event into the outbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import EventType
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import AgencyId, GroupId, UserId
from poc_server.store import tables as t
from poc_server.store.bridge import incident_happenings


@dataclass(frozen=True, slots=True)
class Recording:
    """A recorded burst's file, and when it was said."""

    key: str
    agency: str
    group: GroupId
    file: str
    size: int
    sha256: str
    started_ms: int
    ended_ms: int
    duration_ms: int


async def recording(connection: AsyncConnection, key: str) -> Recording | None:
    """One recording by its key; None when there is none."""
    row = (await connection.execute(select(t.burst).where(t.burst.c.key == key))).one_or_none()
    if row is None:
        return None
    return Recording(
        row.key,
        row.agency_id,
        GroupId(row.group_id),
        row.file,
        row.size,
        row.sha256,
        row.started_ms,
        row.ended_ms,
        row.duration_ms,
    )


async def burst_row(connection: AsyncConnection, agency: AgencyId, key: str) -> Row[Any] | None:
    """The row of a burst of that agency."""
    query = select(t.burst).where(t.burst.c.key == key, t.burst.c.agency_id == agency)
    return (await connection.execute(query)).one_or_none()


async def tell(connection: AsyncConnection, rows: Sequence[dict[str, Any]], at_ms: int) -> None:
    """Adds an event for each of these new rows of ``burst`` to the incidents it belongs to, as told ``at_ms``."""
    found = [(GroupId(row["group_id"]), happened(row)) for row in rows]
    await incident_happenings.tell_many(connection, found, at_ms)


def happened(row: dict[str, Any]) -> Happened:
    """What an incident is told of a burst; the same id however often."""
    data: dict[str, JsonValue] = {
        "recording": row["key"],
        "group": row["group_id"],
        "burst": row["id"],
        "name": row["user_name"],
        "started_ms": row["started_ms"],
        "ended_ms": row["ended_ms"],
        "duration_ms": row["duration_ms"],
        "tier": row["tier"],
        "end": row["end_reason"],
        "sha256": row["sha256"],
        "place": row["place"],
    }
    user = None if row["user_id"] is None else UserId(row["user_id"])
    return Happened(f"burst/{row['key']}", EventType.BURST, row["ended_ms"], user, data)
