"""Where people are: the last known place of each in memory, the track in SQL by the journal.

Every part of a place names its source and its time. A browser has no cell id and says ``none``; nothing is invented.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway import incident
from gateway.datum import convert
from gateway.incident import Point
from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.journal import Journal
from poc_server.store.journal.base import Ms
from poc_server.store.journal.kinds import PlaceRecord

FUTURE_MS = 60_000
"""A device's clock may be so far ahead; beyond it the time of arrival is taken."""
OLDEST_MS = 86_400_000
"""A report older than this is history, not a place: refused."""


class Source(StrEnum):
    """Who says so."""

    DEVICE = "device"
    SHELL = "shell"
    OPERATOR = "operator"
    NONE = "none"


class Datum(StrEnum):
    """The frame of coordinates; in China three are in use and they differ by hundreds of metres."""

    WGS84 = "WGS-84"
    GCJ02 = "GCJ-02"
    CGCS2000 = "CGCS2000"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    source: Source = Source.DEVICE
    at_ms: Ms
    """When it was measured, by the device's clock."""


class Position(_Part):
    """Degrees east and north in ``datum``; ``accuracy_m`` is the radius of 68 % (W3C) in metres."""

    longitude: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    latitude: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    accuracy_m: Annotated[float, Field(ge=0, le=1e7, allow_inf_nan=False)] | None = None
    datum: Datum = Datum.WGS84

    def degrees(self, datum: str) -> tuple[float, float]:
        """Longitude and latitude in another datum; converting adds less than a millimetre."""
        at = convert(Point(self.longitude, self.latitude, incident.Datum(self.datum.value)), incident.Datum(datum))
        return at.lon, at.lat


class Motion(_Part):
    """Metres per second, and degrees clockwise from north."""

    speed_mps: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] | None = None
    heading_deg: Annotated[float, Field(ge=0, lt=360, allow_inf_nan=False)] | None = None


class ServingCell(_Part):
    """The base station (CellId) that serves the device; ``none`` where nobody knows it."""

    source: Source = Source.NONE
    id: Annotated[str, Field(min_length=1, max_length=64)] | None = None

    @model_validator(mode="after")
    def _honest(self) -> ServingCell:
        if (self.id is None) != (self.source is Source.NONE):
            raise ValueError("a cell id has a source, and without one the source is none")
        return self


class Battery(_Part):
    """Percent of a full charge."""

    percent: Annotated[int, Field(ge=0, le=100)]
    charging: bool | None = None


class Place(BaseModel):
    """What is known about where a user is; parts that are not known are absent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: UserId
    agency: AgencyId
    at_ms: Ms
    received_ms: Ms
    position: Position | None = None
    motion: Motion | None = None
    cell: ServingCell | None = None
    battery: Battery | None = None


_kept: TypeAdapter[Place] = TypeAdapter(Place)
Listener = Callable[[Place], None]


class Places:
    """The newest place of each user, and the door for new ones."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._newest: dict[UserId, Place] = {}
        self._listeners: list[Listener] = []

    def put(self, place: Place) -> None:
        """Take a report: kept by the journal, and the newest of its user unless a newer one is there."""
        content: dict[str, Literal["place"] | Any] = place.model_dump(mode="json", exclude_none=True)
        for key in ("user", "agency", "at_ms", "received_ms"):
            content.pop(key)
        self._journal.append(
            PlaceRecord(
                user=place.user,
                agency=place.agency,
                at_ms=place.at_ms,
                received_ms=place.received_ms,
                content=content,
            )
        )
        self.learn(place)

    def learn(self, place: Place) -> None:
        """Take what is kept elsewhere already: read at the start, or told by another node."""
        known = self._newest.get(place.user)
        # What was told before the server's clock was set back lies in its future, and is no news.
        if known is not None and place.at_ms <= known.at_ms <= place.received_ms + FUTURE_MS:
            return
        self._newest[place.user] = place
        for listener in tuple(self._listeners):
            listener(place)

    def of(self, user: UserId) -> Place | None:
        """The newest place of a user."""
        return self._newest.get(user)

    def all(self) -> list[Place]:
        """The newest place of everybody."""
        return list(self._newest.values())

    def forget(self, user: UserId) -> None:
        """A user is gone."""
        self._newest.pop(user, None)

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` on the loop for every newer place; it must not block."""
        self._listeners.append(listener)


async def load_newest(connection: AsyncConnection, since_ms: int) -> list[Place]:
    """The newest place of each user since then."""
    newest = (
        select(t.place.c.user_id, func.max(t.place.c.at_ms).label("at_ms"))
        .where(t.place.c.at_ms >= since_ms)
        .group_by(t.place.c.user_id)
        .subquery()
    )
    query = select(t.place).join(newest, (t.place.c.user_id == newest.c.user_id) & (t.place.c.at_ms == newest.c.at_ms))
    return [_place(row) for row in (await connection.execute(query)).all()]


async def track(connection: AsyncConnection, user: UserId, from_ms: int, until_ms: int, limit: int) -> list[Place]:
    """Where a user was, in order of time."""
    query = (
        select(t.place)
        .where(t.place.c.user_id == user, t.place.c.at_ms >= from_ms, t.place.c.at_ms < until_ms)
        .order_by(t.place.c.at_ms)
        .limit(limit)
    )
    return [_place(row) for row in (await connection.execute(query)).all()]


def _place(row: Row[Any]) -> Place:
    said = {"user": row.user_id, "agency": row.agency_id, "at_ms": row.at_ms, "received_ms": row.received_ms}
    return _kept.validate_python({**row.content, **said})
