"""Where people are: what is known of each in memory, the track in SQL by the journal.

Every part of a place names its source and its time. A browser has no cell id and says ``none``; nothing is invented.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from sqlalchemy import Row, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents import incident
from gateway.incidents.incident import Point
from gateway.mapping.datum import convert
from groups.emergency.area import Inside
from groups.vocabulary import AgencyId, UserId
from poc_server.ground.marks import Marks
from poc_server.store import tables as t
from poc_server.store.journal import Journal
from poc_server.store.journal.base import Ms
from poc_server.store.journal.kinds import PlaceRecord
from poc_server.store.settings import PlaceSettings
from poc_server.store.sql.statements import each_row

FUTURE_MS = 60_000
"""A device's clock may be so far ahead; beyond it the time of arrival is taken."""
OLDEST_MS = 86_400_000
"""A report older than this is history, not a place: refused."""
EARLY = 0.5
"""A report may come after this part of the interval: timers drift, and a fix takes its time."""
HOUR_MS = 3_600_000


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
        if (self.datum is Datum.GCJ02) == (datum == Datum.GCJ02.value):
            return self.longitude, self.latitude
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

    def over(self, known: Place) -> Place:
        """This one, and of what it says nothing the parts that were known: each has a time of its own."""
        parts = {name: getattr(known, name) for name in PARTS if getattr(self, name) is None}
        return self.model_copy(update=parts)


PARTS = ("position", "motion", "cell", "battery")
_kept: TypeAdapter[Place] = TypeAdapter(Place)
Listener = Callable[[Place], None]


@dataclass(frozen=True, slots=True)
class PlacesNews:
    """What is different since a mark. ``whole``: it is all there is. ``mark`` names this moment the next time."""

    mark: str
    whole: bool
    places: list[Place]
    gone: list[UserId]


class Places:
    """What is known of where each user is, and the door for reports."""

    def __init__(self, journal: Journal, settings: PlaceSettings, clock: Callable[[], int]) -> None:
        self._journal = journal
        self._settings = settings
        self._clock = clock
        self._newest: dict[UserId, Place] = {}
        self._measured: dict[UserId, int] = {}
        """Since when all of it was measured (ms): nearly nobody has a part that is too old, and a city is looked at."""
        self._marks: Marks[UserId] = Marks()
        self._reported: dict[UserId, int] = {}
        self._listeners: list[Listener] = []
        self.tell_reported: Callable[[UserId, int], None] = lambda _user, _at_ms: None
        """Says to the other nodes who reported, and when (ms)."""

    def report(self, place: Place) -> bool:
        """Take what a phone says by itself; False when it comes sooner after the one before than it was asked to.

        Reports of one user are to come in the order of their times.
        """
        last = self._reported.get(place.user)
        pause_ms = EARLY * self._settings.interval_s * 1000
        # What was told before the clock was set back is no reason to wait.
        if last is not None and place.at_ms < last + pause_ms and last <= place.received_ms + FUTURE_MS:
            return False
        self._reported[place.user] = place.at_ms
        self.tell_reported(place.user, place.at_ms)
        self.put(place)
        return True

    def put(self, place: Place) -> None:
        """Take a place: kept by the journal, and the newest of its user unless a newer one is there."""
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

    def reported(self, user: UserId, at_ms: int) -> None:
        """To another node: a phone that goes from node to node may report no more often than one that stays."""
        self._reported[user] = max(at_ms, self._reported.get(user, 0))

    def learn(self, place: Place) -> None:
        """Take what is kept already: read at the start, or told by another node."""
        known = self._newest.get(place.user)
        if place.at_ms < self._told_since():
            return
        # What was told before the server's clock was set back lies in its future, and is no news.
        if known is not None and place.at_ms <= known.at_ms <= place.received_ms + FUTURE_MS:
            return
        newest = place if known is None else place.over(known)
        self._newest[place.user], self._measured[place.user] = newest, _measured_since(newest)
        self._changed(place.user)
        for listener in tuple(self._listeners):
            listener(newest)

    def of(self, user: UserId) -> Place | None:
        """What is known of a user: his newest report, and older parts of which it says nothing."""
        found, since = self._newest.get(user), self._told_since()
        return None if found is None or found.at_ms < since else self._told(found, since)

    def all(self) -> list[Place]:
        """The same of everybody."""
        since = self._told_since()
        return [self._told(place, since) for place in self._newest.values() if place.at_ms >= since]

    def since(self, mark: str) -> PlacesNews:
        """Which are newer, or are known no more, since ``mark``; "" or one that says nothing here: all."""
        changed, told = self._marks.since(mark), self._marks.mark
        if changed is None:
            return PlacesNews(told, True, self.all(), [])
        found = [(user, self.of(user)) for user in changed]
        there = [place for _, place in found if place is not None]
        return PlacesNews(told, False, there, [user for user, place in found if place is None])

    def forget(self, user: UserId) -> None:
        """A user is gone."""
        self._reported.pop(user, None)
        if self._newest.pop(user, None) is not None:
            del self._measured[user]
            self._changed(user)
            self._marks.forget_gone(self._newest, len(self._newest))

    def forget_old(self) -> None:
        """Let go of what is too old to be told."""
        since = self._told_since()
        for user in [user for user, place in self._newest.items() if place.at_ms < since]:
            self.forget(user)

    def subscribe(self, listener: Listener) -> None:
        """Call ``listener`` on the loop for every newer place; it must not block."""
        self._listeners.append(listener)

    def _told(self, place: Place, since_ms: int) -> Place:
        """Without parts that were measured before then."""
        return place if self._measured[place.user] >= since_ms else _fresh(place, since_ms)

    def _changed(self, user: UserId) -> None:
        self._marks.step()
        self._marks.note(user)

    def _told_since(self) -> int:
        return self._clock() - round(self._settings.told_hours * HOUR_MS)


def those_inside(places: Iterable[Place], ring: Sequence[tuple[float, float]], datum: str) -> Iterator[Place]:
    """Of these places those in a usable ring, whose corners are degrees of ``datum``."""
    inside = Inside(ring)
    for place in places:
        at = place.position
        if at is not None and inside.about(at.longitude, at.latitude) and inside.holds(at.degrees(datum)):
            yield place


def _measured_since(place: Place) -> int:
    """When the oldest of its parts was measured."""
    return min((part.at_ms for name in PARTS if (part := getattr(place, name)) is not None), default=place.at_ms)


def _fresh(place: Place, since_ms: int) -> Place:
    """Without parts that were measured before then."""
    old = {name: None for name in PARTS if (part := getattr(place, name)) is not None and part.at_ms < since_ms}
    return place.model_copy(update=old)


async def load_newest(connection: AsyncConnection, since_ms: int) -> AsyncIterator[Place]:
    """The newest place of each user since then."""
    newest = (
        select(t.place.c.user_id, func.max(t.place.c.at_ms).label("at_ms"))
        .where(t.place.c.at_ms >= since_ms)
        .group_by(t.place.c.user_id)
        .subquery()
    )
    query = select(t.place).join(newest, (t.place.c.user_id == newest.c.user_id) & (t.place.c.at_ms == newest.c.at_ms))
    async for row in each_row(connection, query):
        yield _place(row)


async def track(connection: AsyncConnection, user: UserId, from_ms: int, until_ms: int, limit: int) -> list[Place]:
    """Where a user was, in order of time."""
    query = (
        select(t.place)
        .where(t.place.c.user_id == user, t.place.c.at_ms >= from_ms, t.place.c.at_ms < until_ms)
        .order_by(t.place.c.at_ms)
        .limit(limit)
    )
    return [_place(row) async for row in each_row(connection, query)]


def _place(row: Row[Any]) -> Place:
    said = {"user": row.user_id, "agency": row.agency_id, "at_ms": row.at_ms, "received_ms": row.received_ms}
    return _kept.validate_python({**row.content, **said})
