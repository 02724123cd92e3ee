"""A talk burst and its recording: its row, and its entry in the evidence chain, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, BurstEnd, CallId, DeviceId, GroupId, Tier, UnitId, UserId
from poc_server.ground.chain import Kind, canonical
from poc_server.store import tables as t
from poc_server.store.bridge import incident_bursts
from poc_server.store.ids import clean
from poc_server.store.journal.base import MAX_MS, Count, Ms, Record, Text
from poc_server.store.records import evidence
from poc_server.store.sql.lookup import place_of
from poc_server.store.sql.statements import insert_new

MAX_PEAKS_CHARS = 4_000
MAX_HEARERS = 20_000
"""Parties of one call that are kept; a call to more is a broadcast, which keeps its own receipts."""


class BurstPlace(BaseModel):
    """Where the talker was; degrees in ``datum``, ``age_ms`` old when the burst began, measured by ``source``."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    longitude: Annotated[float, Field(ge=-180, le=180)]
    latitude: Annotated[float, Field(ge=-90, le=90)]
    source: Annotated[str, Field(max_length=32), AfterValidator(clean)]
    age_ms: Ms
    accuracy_m: Annotated[float, Field(ge=0)] | None = None
    datum: Annotated[str, Field(max_length=32), AfterValidator(clean)] = "WGS-84"


class BurstRecord(Record):
    """A talk burst that has ended, with what is known of its recording (`poc_server.recording.model.Recording`).

    ``zone_minutes`` is the city's offset from UTC: it decides the evidence day.
    """

    kind: Literal["burst"] = "burst"
    v: Literal[1] = 1
    id: Annotated[int, Field(gt=0, le=MAX_MS)]
    group: GroupId
    agency: AgencyId
    user: UserId | None
    user_name: Text
    node: Text
    started_ms: Ms
    ended_ms: Ms
    end: BurstEnd
    from_ms: Ms = 0
    tier: Tier = Tier.NORMAL
    priority: Annotated[int, Field(ge=0, le=255)] = 0
    unit: UnitId | None = None
    hearers: Annotated[tuple[UserId, ...], Field(max_length=MAX_HEARERS)] = ()
    """Parties of a call whose group is gone with it; members of lasting groups are known by their periods."""
    call: CallId | None = None
    device: DeviceId | None = None
    incident: Text | None = None
    duration_ms: Ms = 0
    packets: Count = 0
    lost: Count = 0
    unrecorded: Count = 0
    filled_ms: Ms = 0
    place: BurstPlace | None = None
    file: Annotated[str, Field(max_length=500), AfterValidator(clean)] = ""
    size: Ms = 0
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""
    peaks: Annotated[str, Field(pattern="^([0-9a-f]{2})*$", max_length=MAX_PEAKS_CHARS)] = ""
    zone_minutes: Annotated[int, Field(ge=-720, le=840)] = 480

    @property
    def key(self) -> str:
        """The name of this recording in URLs and evidence; made from what makes it unique."""
        unique = f"{self.group}/{self.id}/{self.from_ms}"
        return "b-" + hashlib.sha256(unique.encode()).hexdigest()[:24]

    def evidence(self, kept_ms: int) -> str:
        """What the evidence chain commits to; the peaks, which are for drawing, by their SHA-256."""
        said = self.model_dump(mode="json", exclude={"kind", "peaks", "zone_minutes", "hearers"})
        drawn = _sha256(bytes.fromhex(self.peaks))
        return canonical(said | {"key": self.key, "kept_ms": kept_ms, "peaks_sha256": drawn})


async def apply(connection: AsyncConnection, found: Sequence[BurstRecord], at_ms: int) -> None:
    """Insert what is not there, as kept at ``at_ms``; what the chain knows is passed over, also if it was deleted."""
    items = [evidence.Item(each.group, Kind.BURST, each.key, each.evidence(at_ms), each.zone_minutes) for each in found]
    added = await evidence.append(connection, items, at_ms)
    rows = [_row(each, at_ms) for each in {each.key: each for each in found}.values() if each.key in added]
    if rows:
        await insert_new(connection, t.burst, rows)
        hearers = [{"user_id": user, "key": each.key} for each in found if each.key in added for user in each.hearers]
        if hearers:
            await insert_new(connection, t.burst_hearer, hearers)
        await incident_bursts.tell(connection, rows, at_ms)


def told(row: Row[Any]) -> dict[str, Any]:
    """What a row of the table ``burst`` tells, by the names of `BurstRecord.evidence`."""
    as_they_are = (
        "id", "from_ms", "key", "tier", "priority", "incident", "node", "user_name", "started_ms", "ended_ms",
        "duration_ms", "packets", "lost", "unrecorded", "filled_ms", "file", "size", "sha256", "kept_ms",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in as_they_are},
        "group": row.group_id,
        "agency": row.agency_id,
        "unit": row.unit_id,
        "call": row.call_id,
        "user": row.user_id,
        "device": row.device_id,
        "end": row.end_reason,
        "place": place_of(row),
        "peaks_sha256": _sha256(row.peaks),
    }


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _row(each: BurstRecord, at_ms: int) -> dict[str, Any]:
    return {
        "group_id": each.group,
        "id": each.id,
        "from_ms": each.from_ms,
        "key": each.key,
        "agency_id": each.agency,
        "unit_id": each.unit,
        "call_id": each.call,
        "user_id": each.user,
        "user_name": each.user_name,
        "device_id": each.device,
        "tier": int(each.tier),
        "priority": each.priority,
        "incident": each.incident,
        "node": each.node,
        "started_ms": each.started_ms,
        "ended_ms": each.ended_ms,
        "end_reason": each.end.value,
        "duration_ms": each.duration_ms,
        "packets": each.packets,
        "lost": each.lost,
        "unrecorded": each.unrecorded,
        "filled_ms": each.filled_ms,
        "longitude": each.place.longitude if each.place else None,
        "latitude": each.place.latitude if each.place else None,
        "place": each.place.model_dump(mode="json") if each.place else None,
        "file": each.file,
        "size": each.size,
        "sha256": each.sha256,
        "peaks": bytes.fromhex(each.peaks),
        "kept_ms": at_ms,
    }
