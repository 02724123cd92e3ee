"""Where people are: phones report, dispatchers see; each part with its source and its age."""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Annotated, TypeVar

from fastapi import Query, Response
from pydantic import BaseModel, Field, TypeAdapter, model_validator

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import Refusal, UnitId, UserId
from poc_server.api import rights
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import ID_PATTERN, Body, PathId
from poc_server.api.written import IDS, listed, object_of, written
from poc_server.ground.refused import Refused
from poc_server.store.places import (
    FUTURE_MS,
    OLDEST_MS,
    PARTS,
    Battery,
    Motion,
    Place,
    Position,
    ServingCell,
    Source,
    track,
)

router = routes_of("places")
P = TypeVar("P", bound=BaseModel)
MAX_REPORTS = 100
MAX_TRACK = 5_000


class ReportIn(Body):
    """One report of a phone. ``at_ms`` is its clock; parts that it does not know are absent, never guessed."""

    at_ms: Annotated[int, Field(ge=0, le=2**53)]
    position: Position | None = None
    motion: Motion | None = None
    cell: ServingCell | None = None
    battery: Battery | None = None

    @model_validator(mode="after")
    def _measured(self) -> ReportIn:
        for part in (self.position, self.motion, self.battery):
            if part is not None and part.source is Source.NONE:
                raise ValueError("what nobody measured is left out")
        return self


class ReportsIn(Body):
    """Several reports, for a phone that had no network; the newest may come in any order."""

    reports: Annotated[list[ReportIn], Field(min_length=1, max_length=MAX_REPORTS)]


class ReportingOut(Body):
    """What the server wants: whether to report at all, and how often. The page shows both."""

    wanted: bool
    interval_s: float
    on_duty: bool
    accepted: int = 0


class PositionOut(Position):
    """With its age."""

    age_ms: int


class MotionOut(Motion):
    """With its age."""

    age_ms: int


class CellOut(ServingCell):
    """With its age."""

    age_ms: int


class BatteryOut(Battery):
    """With its age."""

    age_ms: int


class PlaceOut(Body):
    """Where somebody was: the time of his newest report, and each part with who says so and how old it is.

    A part of which the newest report said nothing is an older one. Ages are by the server's clock.
    """

    user: str
    name: str
    at_ms: int
    age_ms: int
    position: PositionOut | None
    motion: MotionOut | None
    cell: CellOut | None
    battery: BatteryOut | None


class PlacesNewsOut(Body):
    """``mark``: to be named the next time. ``whole``: all there are; else those that are newer since then.

    ``gone``: users whose place is told no more. That one may locate others than before, and that a place has become too
    old to be told, is no news: ask for the whole once a minute.
    """

    mark: str
    whole: bool
    places: list[PlaceOut]
    gone: list[str]


_PLACES = TypeAdapter(list[PlaceOut])


@router.get("/me/place/reporting", responses=documented(401, 403))
async def reporting(caller: SignedInCaller, services: Use) -> ReportingOut:
    """Whether this phone shall report its place now."""
    return _reporting(services, caller.user)


@router.post("/me/place", responses=documented(401, 403, 409, 422))
async def report(body: ReportsIn, caller: SignedInCaller, services: Use) -> ReportingOut:
    """Report where I am. What was measured off duty, or comes sooner than was asked, is not taken: see ``accepted``."""
    now = services.store.clock()
    places = services.store.places
    found = sorted((_reported(caller.user, each, now) for each in body.reports), key=lambda place: place.at_ms)
    accepted = sum(
        places.report(place)
        for place in found
        if place.at_ms >= now - OLDEST_MS and _wanted(services, caller.user, place.at_ms)
    )
    return _reporting(services, caller.user).model_copy(update={"accepted": accepted})


@router.get("/places", response_model=list[PlaceOut], **ruled(Act.LOCATE))
async def list_places(
    caller: SignedInCaller,
    services: Use,
    unit: Annotated[str | None, Query(pattern=ID_PATTERN, description="This unit and all below")] = None,
) -> Response:
    """The newest place of everybody one may locate."""
    below = None if unit is None else services.directory.unit_subtree(UnitId(unit))
    return written(await listed(_PLACES, services.store.places.all(), _as_located(services, caller, below)))


@router.get("/places/news", response_model=PlacesNewsOut, **ruled(Act.LOCATE))
async def places_news(
    caller: SignedInCaller,
    services: Use,
    since: Annotated[str, Query(max_length=40, description="The mark of the answer before; none: all")] = "",
) -> Response:
    """The same for who asks again and again: only those that are newer since the answer before."""
    news = services.store.places.since(since)
    return object_of(
        {"mark": news.mark, "whole": news.whole},
        places=await listed(_PLACES, news.places, _as_located(services, caller)),
        gone=await listed(IDS, news.gone, lambda user: None if _locatable(services, caller, user) is None else user),
    )


@router.get("/people/{user}/track", **ruled(Act.LOCATE, 404))
async def person_track(
    user: PathId,
    caller: SignedInCaller,
    services: Use,
    from_ms: Annotated[int, Query(ge=0, le=2**53)],
    until_ms: Annotated[int, Query(ge=0, le=2**53)],
) -> list[PlaceOut]:
    """Where somebody was in a span of time, at most 5,000 places. Each look is audited."""
    person = rights.person(services, caller, user, Act.LOCATE)
    if until_ms < from_ms:
        raise Refused(Refusal.BAD_MESSAGE, "until_ms")
    async with services.store.reading() as connection:
        places = await track(connection, UserId(user), from_ms, until_ms, MAX_TRACK)
    now = services.store.clock()
    if person.id != caller.user.id:
        told = {"from_ms": from_ms, "until_ms": until_ms, "places": len(places)}
        services.audit(caller.actor, "place.track", "user", person.id, told)
    return [_out(person, place, now) for place in places]


def _locatable(services: Services, caller: Caller, key: UserId) -> User | None:
    user = services.directory.user(key)
    return None if user is None or may(Act.LOCATE, caller.user, user, services.directory) is not None else user


def _as_located(
    services: Services, caller: Caller, below: Container[UnitId] | None = None
) -> Callable[[Place], PlaceOut | None]:
    """How the caller is told a place; None: not at all. ``below``: only of who are in one of these units."""
    now = services.store.clock()

    def made(place: Place) -> PlaceOut | None:
        user = _locatable(services, caller, place.user)
        return None if user is None or (below is not None and user.unit not in below) else _out(user, place, now)

    return made


def _reporting(services: Services, user: User) -> ReportingOut:
    now, interval_s = services.store.clock(), services.store.settings.places.interval_s
    on_duty = services.directory.on_duty(user.id, now)
    return ReportingOut(wanted=_wanted(services, user, now), interval_s=interval_s, on_duty=on_duty)


def _wanted(services: Services, user: User, at_ms: int) -> bool:
    """Whether what was measured then is to be told: also of a time before, for a phone that had no network."""
    return not services.store.settings.places.only_on_duty or services.directory.on_duty(user.id, at_ms)


def _reported(user: User, told: ReportIn, now: int) -> Place:
    """A report as a place; of a phone whose clock is far ahead, at the time of arrival, parts as old as they were."""
    ahead = told.at_ms - now if told.at_ms > now + FUTURE_MS else 0
    parts = {}
    for name in PARTS:
        part = getattr(told, name)
        if part is not None:
            # No part was measured after the report.
            parts[name] = part.model_copy(update={"at_ms": max(0, min(part.at_ms, told.at_ms) - ahead)})
    return Place(user=user.id, agency=user.agency, at_ms=told.at_ms - ahead, received_ms=now, **parts)


def _out(user: User, place: Place, now: int) -> PlaceOut:
    return PlaceOut(
        user=user.id,
        name=user.name,
        at_ms=place.at_ms,
        age_ms=max(0, now - place.at_ms),
        position=_aged(PositionOut, place.position, now),
        motion=_aged(MotionOut, place.motion, now),
        cell=_aged(CellOut, place.cell, now),
        battery=_aged(BatteryOut, place.battery, now),
    )


def _aged(form: type[P], part: Position | Motion | ServingCell | Battery | None, now: int) -> P | None:
    return None if part is None else form.model_construct(**dict(part), age_ms=max(0, now - part.at_ms))
