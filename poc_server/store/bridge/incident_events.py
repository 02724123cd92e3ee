"""The events of incidents in SQL. Each stands in the transaction of its fact, so none is lost or made up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.delivery.events import Event
from gateway.incidents.effects import EventOut
from groups.vocabulary import AgencyId, IncidentCode
from poc_server.store.sql.statements import in_parts
from poc_server.store.tables import bridge as t


async def append(connection: AsyncConnection, agency: AgencyId, code: IncidentCode, events: Sequence[EventOut]) -> int:
    """Adds events to an incident, in order; one that is there already is passed over. Returns how many were new."""
    return await append_many(connection, agency, [(code, event) for event in events])


async def append_many(
    connection: AsyncConnection, agency: AgencyId, events: Sequence[tuple[IncidentCode, EventOut]]
) -> int:
    """Adds events of several incidents, in order; as `append`."""
    there = await known(connection, agency, [event.id for _, event in events])
    new = [pair for pair in {pair[1].id: pair for pair in events}.values() if pair[1].id not in there]
    if not new:
        return 0
    # The head is locked first: positions are then handed out in the order in which they become visible.
    forward = update(t.outbox_head).values(position=t.outbox_head.c.position + len(new))
    last = int(await connection.scalar(forward.returning(t.outbox_head.c.position)) or 0)
    sequences = await _sequences(connection, agency, {code for code, _ in new})
    rows = []
    for number, (code, event) in enumerate(new, 1):
        sequences[code] = sequences.get(code, 0) + 1
        rows.append(
            {
                "agency_id": agency,
                "code": code,
                "sequence": sequences[code],
                "position": last - len(new) + number,
                "id": event.id,
                "type": event.type.value,
                "at_ms": event.at,
                "recording": event.data.get("recording"),
                "data": event.data,
            }
        )
    await connection.execute(insert(t.incident_event), rows)
    return len(rows)


async def _sequences(connection: AsyncConnection, agency: AgencyId, codes: Collection[IncidentCode]) -> dict[str, int]:
    """The highest sequence of each of these incidents that has events."""
    e = t.incident_event.c
    found: dict[str, int] = {}
    for part in in_parts(sorted(codes)):
        query = select(e.code, func.max(e.sequence).label("highest")).where(e.agency_id == agency, e.code.in_(part))
        rows = (await connection.execute(query.group_by(e.code))).all()
        found.update({row.code: int(row.highest) for row in rows})
    return found


async def events_of(
    connection: AsyncConnection, agency: AgencyId, code: IncidentCode, after: int = 0, limit: int = 1_000
) -> list[Event]:
    """The events of an incident by sequence, after the given one."""
    query = (
        select(t.incident_event)
        .where(
            t.incident_event.c.agency_id == agency,
            t.incident_event.c.code == code,
            t.incident_event.c.sequence > after,
        )
        .order_by(t.incident_event.c.sequence)
        .limit(limit)
    )
    return [event_of(row) for row in (await connection.execute(query)).all()]


async def newest_of(
    connection: AsyncConnection, agency: AgencyId, code: IncidentCode, before: int, limit: int
) -> list[Event]:
    """The newest events of an incident before a sequence number, the oldest of them first."""
    e = t.incident_event.c
    query = select(t.incident_event).where(e.agency_id == agency, e.code == code, e.sequence < before)
    rows = (await connection.execute(query.order_by(e.sequence.desc()).limit(limit))).all()
    return [event_of(row) for row in reversed(rows)]


def event_of(row: Row[Any]) -> Event:
    """The event a row of the outbox holds."""
    return Event(row.id, row.type, row.code, row.sequence, row.at_ms, dict(row.data), row.recording, row.agency_id)


async def known(connection: AsyncConnection, agency: AgencyId, ids: Collection[str]) -> set[str]:
    """Those of these events that are there."""
    found: set[str] = set()
    for part in in_parts(sorted(set(ids))):
        these = (t.incident_event.c.agency_id == agency) & t.incident_event.c.id.in_(part)
        found |= set((await connection.execute(select(t.incident_event.c.id).where(these))).scalars())
    return found
