"""Photos and notes from the field in SQL: what is being received, and what is kept as evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import JsonValue
from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import EventType
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import AgencyId, DeviceId, GroupId, IncidentCode, UnitId, UserId
from poc_server.ground.chain import Kind, canonical
from poc_server.store import tables as t
from poc_server.store.bridge import incident_happenings, incidents
from poc_server.store.ids import clean
from poc_server.store.records import evidence
from poc_server.store.records.recordings import Area, Page, Scope, allowed_rows
from poc_server.store.sql import locks
from poc_server.store.sql.lookup import place_of


class MaterialState(StrEnum):
    """How far a photo or note is."""

    RECEIVING = "receiving"
    KEPT = "kept"
    REFUSED = "refused"


class Origin(StrEnum):
    """Where a picture comes from."""

    CAMERA = "camera"
    GALLERY = "gallery"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Material:
    """A photo or note as its device announces it.

    Times in ms since the epoch: ``taken_ms`` by the device's clock, ``clock_offset_ms`` is the server's clock minus the
    device's when it was announced. ``place`` and ``cell`` name their source. ``sha256`` is the device's.
    """

    id: str
    agency: AgencyId
    kind: Kind
    group: GroupId
    unit: UnitId | None
    user: UserId
    user_name: str
    device: DeviceId | None
    incident: IncidentCode | None
    note: str
    origin: Origin
    taken_ms: int
    clock_offset_ms: int
    begun_ms: int
    place: dict[str, Any] | None
    cell: dict[str, Any] | None
    media_type: str
    size: int
    sha256: str

    def same_as(self, row: Row[Any]) -> bool:
        """Whether ``row`` is this very thing, announced before."""
        mine = (self.user, self.kind.value, self.group, self.size, self.sha256, self.taken_ms, clean(self.note))
        return mine == (row.user_id, row.kind, row.group_id, row.size, row.sha256, row.taken_ms, row.note)


async def announce(connection: AsyncConnection, material: Material) -> None:
    """Begin to receive it."""
    values = {
        "id": material.id,
        "agency_id": material.agency,
        "kind": material.kind.value,
        "state": MaterialState.RECEIVING.value,
        "group_id": material.group,
        "unit_id": material.unit,
        "incident": material.incident,
        "user_id": material.user,
        "user_name": clean(material.user_name),
        "device_id": material.device,
        "note": clean(material.note),
        "origin": material.origin.value,
        "taken_ms": material.taken_ms,
        "clock_offset_ms": material.clock_offset_ms,
        "begun_ms": material.begun_ms,
        "longitude": (material.place or {}).get("longitude"),
        "latitude": (material.place or {}).get("latitude"),
        "place": material.place,
        "cell": material.cell,
        "media_type": material.media_type,
        "size": material.size,
        "sha256": material.sha256,
        "file": "",
        "detail": "",
    }
    await connection.execute(insert(t.material), [values])


async def find(connection: AsyncConnection, material: str) -> Row[Any] | None:
    """The row with that id, whoever asks."""
    return (await connection.execute(select(t.material).where(t.material.c.id == material))).one_or_none()


async def receiving(connection: AsyncConnection, user: UserId) -> int:
    """How many a user has announced and not sent to the end."""
    m = t.material.c
    query = select(func.count()).where(m.user_id == user, m.state == MaterialState.RECEIVING.value)
    return int(await connection.scalar(query) or 0)


async def keep(connection: AsyncConnection, row: Row[Any], file: str, at_ms: int, zone_minutes: int) -> None:
    """It is whole: seal it into the evidence of its group, and tell the incidents it belongs to."""
    await locks.outbox(connection)
    values = {"state": MaterialState.KEPT.value, "file": file, "kept_ms": at_ms}
    await connection.execute(update(t.material).where(t.material.c.id == row.id).values(**values))
    content = {"v": 1, **_told_of(row), "file": file, "kept_ms": at_ms}
    item = evidence.Item(row.group_id, Kind(row.kind), row.id, canonical(content), zone_minutes)
    await evidence.append(connection, [item], at_ms)
    kind = EventType.NOTE if row.kind == Kind.NOTE else EventType.PHOTO
    told = Happened(f"material/{row.id}", kind, at_ms, UserId(row.user_id), _happening(row))
    codes = await incidents.of_group(connection, GroupId(row.group_id))
    if row.incident and (row.agency_id, row.incident) not in codes:
        codes = [*codes, (AgencyId(row.agency_id), IncidentCode(row.incident))]
    for agency, code in codes:
        await incident_happenings.tell_one(connection, agency, code, told, at_ms)


async def refuse(connection: AsyncConnection, material: str, detail: str) -> None:
    """It is not what was announced."""
    values = {"state": MaterialState.REFUSED.value, "detail": detail[:128]}
    await connection.execute(update(t.material).where(t.material.c.id == material).values(**values))


async def forget(connection: AsyncConnection, before_ms: int) -> list[str]:
    """Drop what was announced before then and never came to its end; returns the ids."""
    m = t.material.c
    which = (m.state != MaterialState.KEPT.value) & (m.begun_ms < before_ms)
    gone = list((await connection.execute(select(m.id).where(which))).scalars())
    await connection.execute(delete(t.material).where(which))
    return gone


@dataclass(frozen=True, slots=True)
class MaterialSearch:
    """What to look for; None is anything. Times by the server's clock, ms since the epoch."""

    group: str | None = None
    incident: str | None = None
    user: str | None = None
    kind: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    area: Area | None = None


async def search(connection: AsyncConnection, scope: Scope, what: MaterialSearch, page: Page) -> list[Row[Any]]:
    """What is kept and may be seen, by time of announcement."""
    m = t.material.c
    query = select(t.material).where(m.state == MaterialState.KEPT.value, _allowed(scope))
    for column, value in ((m.group_id, what.group), (m.incident, what.incident), (m.user_id, what.user)):
        if value is not None:
            query = query.where(column == value)
    if what.kind is not None:
        query = query.where(m.kind == what.kind)
    if what.from_ms is not None:
        query = query.where(m.begun_ms >= what.from_ms)
    if what.until_ms is not None:
        query = query.where(m.begun_ms < what.until_ms)
    if what.area is not None:
        query = query.where(m.longitude.between(what.area.west, what.area.east))
        query = query.where(m.latitude.between(what.area.south, what.area.north))
    if page.after is not None:
        at, key = page.after
        newer = (m.begun_ms > at) | ((m.begun_ms == at) & (m.id > key))
        older = (m.begun_ms < at) | ((m.begun_ms == at) & (m.id < key))
        query = query.where(newer if page.oldest_first else older)
    order = (m.begun_ms, m.id) if page.oldest_first else (m.begun_ms.desc(), m.id.desc())
    return list((await connection.execute(query.order_by(*order).limit(page.limit))).all())


async def one(connection: AsyncConnection, scope: Scope, material: str) -> Row[Any] | None:
    """The kept one with that id; None also when it may not be seen."""
    m = t.material.c
    query = select(t.material).where(m.id == material, m.state == MaterialState.KEPT.value)
    return (await connection.execute(query.where(_allowed(scope)))).one_or_none()


def _allowed(scope: Scope) -> ColumnElement[bool]:
    """A member sees what came while he was one, and what was taken while he was one and came late."""
    m = t.material.c
    taken_ms = m.taken_ms + m.clock_offset_ms
    return or_(allowed_rows(scope, t.material, m.begun_ms), allowed_rows(scope, t.material, taken_ms))


def told(row: Row[Any]) -> dict[str, Any]:
    """What the row of one that is kept tells, by the names of its sealed record."""
    return {**_told_of(row), "place": place_of(row), "file": row.file, "kept_ms": row.kept_ms}


def _told_of(row: Row[Any]) -> dict[str, Any]:
    names: Sequence[str] = (
        "id", "kind", "agency_id", "group_id", "incident", "user_id", "user_name", "device_id", "note", "origin",
        "taken_ms", "clock_offset_ms", "begun_ms", "place", "cell", "media_type", "size", "sha256",
    )  # fmt: skip
    return {name: getattr(row, name) for name in names}


def _happening(row: Row[Any]) -> dict[str, JsonValue]:
    told: dict[str, JsonValue] = {
        "group": row.group_id,
        "name": row.user_name,
        "note": row.note,
        "taken_ms": row.taken_ms + row.clock_offset_ms,
        "clock_offset_ms": row.clock_offset_ms,
        "place": row.place,
    }
    if row.kind == Kind.NOTE:
        return told
    photo = {"photo": row.id, "origin": row.origin, "sha256": row.sha256, "media_type": row.media_type}
    return {**told, **photo, "size": row.size}
