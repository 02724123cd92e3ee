"""Where people are: phones report, dispatchers see; each part with its source and its age."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import Refusal, UnitId, UserId
from poc_server.api import rights
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import ID_PATTERN, Body, PathId
from poc_server.refused import Refused
from poc_server.store import audit
from poc_server.store.ids import now_ms
from poc_server.store.places import FUTURE_MS, OLDEST_MS, Battery, Motion, Place, Position, ServingCell, track

router = APIRouter(tags=["places"])
MAX_REPORTS = 100
MAX_TRACK = 5_000


class ReportIn(Body):
    """One report of a phone. ``at_ms`` is its clock; parts that it does not know are absent, never guessed."""

    at_ms: Annotated[int, Field(ge=0, le=2**53)]
    position: Position | None = None
    motion: Motion | None = None
    cell: ServingCell | None = None
    battery: Battery | None = None


class ReportsIn(Body):
    """Several reports, for a phone that had no network; the newest may come in any order."""

    reports: Annotated[list[ReportIn], Field(min_length=1, max_length=MAX_REPORTS)]


class ReportingOut(Body):
    """What the server wants: whether to report at all, and how often. The page shows both."""

    wanted: bool
    interval_s: float
    on_duty: bool
    accepted: int = 0


class PlaceOut(Body):
    """Where somebody was. ``age_ms`` is how long ago that was told, by the server's clock."""

    user: str
    name: str
    at_ms: int
    age_ms: int
    position: Position | None
    motion: Motion | None
    cell: ServingCell | None
    battery: Battery | None


@router.get("/me/place/reporting", responses=documented(401, 403))
async def reporting(caller: SignedInCaller, services: Use) -> ReportingOut:
    """Whether this phone shall report its place now."""
    return _reporting(services, caller.user)


@router.post("/me/place", responses=documented(401, 403, 409, 422))
async def report(body: ReportsIn, caller: SignedInCaller, services: Use) -> ReportingOut:
    """Report where I am. Off duty nothing is kept, and the answer says so."""
    wish = _reporting(services, caller.user)
    if not wish.wanted:
        return wish
    now = now_ms()
    accepted = 0
    for each in body.reports:
        at = each.at_ms if each.at_ms <= now + FUTURE_MS else now
        if at < now - OLDEST_MS:
            continue
        parts = each.model_dump(exclude={"at_ms"}, exclude_none=True)
        services.store.places.put(
            Place(user=caller.user.id, agency=caller.user.agency, at_ms=at, received_ms=now, **parts)
        )
        accepted += 1
    return wish.model_copy(update={"accepted": accepted})


@router.get("/places", **ruled(Act.LOCATE))
async def list_places(
    caller: SignedInCaller,
    services: Use,
    unit: Annotated[str | None, Query(pattern=ID_PATTERN, description="This unit and all below")] = None,
) -> list[PlaceOut]:
    """The newest place of everybody one may locate."""
    below = None if unit is None else services.directory.unit_subtree(UnitId(unit))
    now = now_ms()
    found = []
    for place in services.store.places.all():
        user = services.directory.user(place.user)
        if user is None or (below is not None and user.unit not in below):
            continue
        if may(Act.LOCATE, caller.user, user, services.directory) is None:
            found.append(_out(user, place, now))
    return found


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
    now = now_ms()
    if person.id != caller.user.id:
        told = {"from_ms": from_ms, "until_ms": until_ms, "places": len(places)}
        services.store.journal.audit(audit.entry(caller.actor, now, "place.track", "user", person.id, told))
    return [_out(person, place, now) for place in places]


def _reporting(services: Services, user: User) -> ReportingOut:
    settings = services.store.settings.places
    on_duty = services.directory.on_duty(user.id, now_ms())
    return ReportingOut(wanted=on_duty or not settings.only_on_duty, interval_s=settings.interval_s, on_duty=on_duty)


def _out(user: User, place: Place, now: int) -> PlaceOut:
    return PlaceOut(
        user=user.id,
        name=user.name,
        at_ms=place.at_ms,
        age_ms=max(0, now - place.at_ms),
        position=place.position,
        motion=place.motion,
        cell=place.cell,
        battery=place.battery,
    )
