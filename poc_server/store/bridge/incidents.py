"""Incidents in SQL: as they stand, what lists ask of them, when time changes them, and which groups are theirs."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import Address
from gateway.incidents.incident_state import IncidentState, Options
from gateway.incidents.limits import Lamp
from gateway.incidents.rules import NOBODYS
from gateway.incidents.settling import deadline
from groups.vocabulary import AgencyId, GroupId, IncidentCode, UnitId
from poc_server.store.ids import clean
from poc_server.store.sql import locks
from poc_server.store.sql.lookup import like
from poc_server.store.sql.statements import in_parts
from poc_server.store.tables import bridge as t

SAVED_AT_ONCE = 8
"""Incidents of one statement: to make their JSON holds the loop."""


def group_of(agency: AgencyId, code: IncidentCode) -> GroupId:
    """The id of an incident's group: the same for ever, so that an address can be known before it is used."""
    return GroupId("in-" + hashlib.sha256(f"{agency}/{code}".encode()).hexdigest()[:24])


async def load(connection: AsyncConnection, agency: AgencyId, code: IncidentCode) -> IncidentState | None:
    """One incident, locked until the transaction ends; None when nothing is known of it."""
    return (await load_many(connection, agency, [code])).get(code)


async def load_many(
    connection: AsyncConnection, agency: AgencyId, codes: Collection[IncidentCode]
) -> dict[IncidentCode, IncidentState]:
    """Those of these incidents of which something is known, locked until the transaction ends.

    The outbox's head is locked before them: who writes the events of several cases one by one, as the journal does,
    holds it when he comes to the second one, and who had that case and then wanted the head would wait for ever.
    """
    await locks.outbox(connection)
    found: dict[IncidentCode, IncidentState] = {}
    for part in in_parts(sorted(set(codes))):
        these = (t.incident.c.agency_id == agency) & t.incident.c.code.in_(part)
        query = select(t.incident.c.code, t.incident.c.content).where(these).order_by(t.incident.c.code)
        rows = (await connection.execute(query.with_for_update())).all()
        found.update({IncidentCode(row.code): IncidentState.from_json(row.content) for row in rows})
    return found


async def save(connection: AsyncConnection, agency: AgencyId, state: IncidentState, now: int) -> None:
    """Writes an incident that is known already, but for its links. It is due at once: the bridge knows what for."""
    await save_many(connection, agency, [], [state], now, None)


async def save_many(
    connection: AsyncConnection,
    agency: AgencyId,
    new: Sequence[IncidentState],
    known: Sequence[IncidentState],
    now: int,
    options: Options | None,
    units: Mapping[IncidentCode, UnitId] | None = None,
    quiet: Collection[IncidentCode] = (),
) -> None:
    """Writes incidents as they are now, but for their links.

    ``options``: by which it is reckoned when time changes them next; None: now. ``new``: `load` found none of them.
    ``units``: whose they are, those that came into another's hands. ``quiet``: of which there is nothing to tell; among
    those that changed last they stay where they are.
    """
    units = units or {}
    for part in in_parts(new, SAVED_AT_ONCE):
        rows = [
            {
                **_values(state, now, options),
                "unit_id": units.get(state.code),
                "agency_id": agency,
                "code": state.code,
                "group_id": group_of(agency, state.code),
                "created_ms": now,
                "updated_ms": now,
            }
            for state in part
        ]
        await connection.execute(insert(t.incident), rows)
    for part in in_parts(known, SAVED_AT_ONCE):
        this = (t.incident.c.agency_id == agency) & (t.incident.c.code == bindparam("of"))
        whose: Any = func.coalesce(bindparam("whose"), t.incident.c.unit_id)
        moved: Any = func.coalesce(bindparam("moved", type_=BigInteger), t.incident.c.updated_ms)
        rows = [
            {
                **_values(state, now, options),
                "of": state.code,
                "whose": units.get(state.code),
                "moved": None if state.code in quiet else now,
            }
            for state in part
        ]
        await connection.execute(update(t.incident).where(this).values(unit_id=whose, updated_ms=moved), rows)


def _values(state: IncidentState, now: int, options: Options | None) -> dict[str, Any]:
    incident = state.incident
    return {
        "content": state.to_json(),
        "state": incident.state.value,
        "address": state.address.value,
        "title": clean(incident.name),
        "cell": clean(incident.cell),
        "urgent": incident.urgent,
        "attention": int(state.attention),
        "lamp": state.lamp.value,
        "since_ms": incident.since,
        "due_ms": now if options is None else deadline(state, now, options),
    }


async def find(connection: AsyncConnection, agency: AgencyId, code: IncidentCode) -> IncidentState | None:
    """One incident, for reading."""
    found = await connection.scalar(select(t.incident.c.content).where(_this(agency, code)))
    return IncidentState.from_json(found) if found is not None else None


async def unit_of(connection: AsyncConnection, agency: AgencyId, code: IncidentCode) -> UnitId | None:
    """Whose an incident is; None: nobody's yet, or there is none."""
    found = await connection.scalar(select(t.incident.c.unit_id).where(_this(agency, code)))
    return None if found is None else UnitId(found)


async def titles(connection: AsyncConnection, groups: Collection[GroupId]) -> dict[GroupId, str]:
    """What the cases were called whose groups these are or were."""
    found: dict[GroupId, str] = {}
    for part in in_parts(sorted(groups)):
        query = select(t.incident.c.group_id, t.incident.c.title).where(t.incident.c.group_id.in_(part))
        found.update({GroupId(row.group_id): row.title for row in (await connection.execute(query)).all()})
    return found


async def find_many(
    connection: AsyncConnection, agency: AgencyId, codes: Sequence[IncidentCode]
) -> dict[IncidentCode, IncidentState]:
    """Those of these incidents that there are, for reading."""
    found: dict[IncidentCode, IncidentState] = {}
    for part in in_parts(codes):
        these = (t.incident.c.agency_id == agency) & t.incident.c.code.in_(part)
        rows = (await connection.execute(select(t.incident.c.code, t.incident.c.content).where(these))).all()
        found.update({IncidentCode(row.code): IncidentState.from_json(row.content) for row in rows})
    return found


async def of_group(connection: AsyncConnection, group: GroupId) -> list[tuple[AgencyId, IncidentCode]]:
    """The incidents what is said in ``group`` belongs to: the one whose address it is, and those it was linked to."""
    return (await of_groups(connection, [group])).get(group, [])


async def of_groups(
    connection: AsyncConnection, groups: Collection[GroupId]
) -> dict[GroupId, list[tuple[AgencyId, IncidentCode]]]:
    """As `of_group`, for many; groups that belong to no incident are left out."""
    found: dict[GroupId, list[tuple[AgencyId, IncidentCode]]] = {}
    for part in in_parts(sorted(groups)):
        own, linked = (
            select(table.c.group_id, table.c.agency_id, table.c.code).where(table.c.group_id.in_(part))
            for table in (t.incident, t.incident_link)
        )
        for row in (await connection.execute(own.union(linked))).all():
            found.setdefault(GroupId(row.group_id), []).append((AgencyId(row.agency_id), IncidentCode(row.code)))
    return found


async def of_addresses(
    connection: AsyncConnection, groups: Collection[GroupId]
) -> dict[GroupId, tuple[AgencyId, IncidentCode]]:
    """The incidents whose addresses these groups are or were."""
    i, found = t.incident.c, {}
    for part in in_parts(sorted(groups)):
        query = select(i.group_id, i.agency_id, i.code).where(i.group_id.in_(part))
        for row in (await connection.execute(query)).all():
            found[GroupId(row.group_id)] = (AgencyId(row.agency_id), IncidentCode(row.code))
    return found


async def that_matter(
    connection: AsyncConnection, groups: Collection[GroupId], limit: int, text: str = ""
) -> list[IncidentState]:
    """Of the incidents whose addresses these groups are, those that are somebody's matter, at most ``limit``.

    Urgent ones first, then by attention, then the newest. ``text``: in their title or code. An officer may be a member
    of hundreds of groups: only what is returned is read whole.
    """
    i = t.incident.c
    query = select(i.group_id, i.urgent, i.attention, i.since_ms, i.code)
    query = query.where(i.state.not_in(sorted(state.value for state in NOBODYS)))
    if text:
        query = query.where(_holds(text))
    query = query.order_by(i.urgent.desc(), i.attention.desc(), i.since_ms.desc(), i.code).limit(limit)
    rows: list[Any] = []
    for part in in_parts(sorted(groups)):
        rows += (await connection.execute(query.where(i.group_id.in_(part)))).all()
    rows.sort(key=lambda row: (not row.urgent, -row.attention, -row.since_ms, row.code))
    wanted = [row.group_id for row in rows[:limit]]
    contents = select(i.group_id, i.content).where(i.group_id.in_(wanted))
    found = {row.group_id: row.content for row in (await connection.execute(contents)).all()}
    return [IncidentState.from_json(found[each]) for each in wanted if each in found]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which incidents are asked for. ``units``: whose; None: all. ``matters_first``: urgent ones, then by attention."""

    addresses: frozenset[Address] = frozenset()
    text: str = ""
    units: frozenset[UnitId] | None = None
    matters_first: bool = False


async def page(
    connection: AsyncConnection, agency: AgencyId, limit: int, asked: Asked = Asked()
) -> list[IncidentState]:
    """Incidents, those that changed last first."""
    i = t.incident.c
    query = select(i.content).where(i.agency_id == agency)
    if asked.addresses:
        query = query.where(i.address.in_(sorted(address.value for address in asked.addresses)))
    if asked.text:
        query = query.where(_holds(asked.text))
    if asked.units is not None:
        query = query.where(i.unit_id.in_(sorted(asked.units)))
    if asked.matters_first:
        query = query.order_by(i.urgent.desc(), i.attention.desc(), i.since_ms.desc(), i.code)
    query = query.order_by(i.updated_ms.desc(), i.code.desc()).limit(limit)
    return [IncidentState.from_json(found) for found in (await connection.execute(query)).scalars()]


async def due(connection: AsyncConnection, now: int, limit: int) -> list[tuple[AgencyId, IncidentCode]]:
    """Incidents that time changes now."""
    query = (
        select(t.incident.c.agency_id, t.incident.c.code)
        .where(t.incident.c.due_ms <= now)
        .order_by(t.incident.c.due_ms)
        .limit(limit)
    )
    return [(AgencyId(row.agency_id), IncidentCode(row.code)) for row in (await connection.execute(query)).all()]


async def due_at_once(connection: AsyncConnection, now: int) -> None:
    """Every live incident with a limit is due: what working time is may have been changed."""
    live = t.incident.c.address.in_([address.value for address in (Address.OPEN, Address.PARKED, Address.CLOSING)])
    await connection.execute(update(t.incident).where(live, t.incident.c.lamp != Lamp.OFF.value).values(due_ms=now))


async def next_due(connection: AsyncConnection) -> int | None:
    """When time changes an incident next."""
    found: int | None = await connection.scalar(select(func.min(t.incident.c.due_ms)))
    return found


async def live(connection: AsyncConnection) -> list[tuple[AgencyId, IncidentCode]]:
    """Incidents whose members follow the directory: those whose address is open, parked or closing."""
    addresses = [address.value for address in (Address.OPEN, Address.PARKED, Address.CLOSING)]
    query = select(t.incident.c.agency_id, t.incident.c.code).where(t.incident.c.address.in_(addresses))
    return [(AgencyId(row.agency_id), IncidentCode(row.code)) for row in (await connection.execute(query)).all()]


async def codes(connection: AsyncConnection, groups: Collection[GroupId] | None = None) -> dict[GroupId, IncidentCode]:
    """Of every address that is not gone, or of those of ``groups``: its group and its incident."""
    i = t.incident.c
    gone = [Address.NONE.value, Address.ARCHIVED.value, Address.REMOVED.value]
    query = select(i.group_id, i.code).where(i.address.not_in(gone))
    found: dict[GroupId, IncidentCode] = {}
    for part in [None] if groups is None else in_parts(sorted(groups)):
        these = query if part is None else query.where(i.group_id.in_(part))
        found |= {GroupId(row.group_id): IncidentCode(row.code) for row in (await connection.execute(these)).all()}
    return found


async def save_links(connection: AsyncConnection, agency: AgencyId, state: IncidentState) -> None:
    """Writes which groups are tied to an incident."""
    this = (t.incident_link.c.agency_id == agency) & (t.incident_link.c.code == state.code)
    there = set((await connection.execute(select(t.incident_link.c.group_id).where(this))).scalars())
    if there - state.groups:
        gone = t.incident_link.c.group_id.in_(sorted(there - state.groups))
        await connection.execute(delete(t.incident_link).where(this, gone))
    if state.groups - there:
        rows = [{"agency_id": agency, "code": state.code, "group_id": each} for each in sorted(state.groups - there)]
        await connection.execute(insert(t.incident_link), rows)


def _holds(text: str) -> Any:
    pattern = like(text.lower())
    columns = (t.incident.c.title, t.incident.c.code)
    return or_(*(func.lower(column).like(pattern, escape="\\") for column in columns))


def _this(agency: AgencyId, code: IncidentCode) -> Any:
    return (t.incident.c.agency_id == agency) & (t.incident.c.code == code)
