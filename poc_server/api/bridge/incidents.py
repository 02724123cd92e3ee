"""Incidents over HTTP: told by case systems and dispatchers, read, linked; their events, and links to their log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Body, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, JsonValue

from gateway.incidents.case_code import MAX_CODE_CHARS, incident_code
from gateway.incidents.document import Document
from gateway.incidents.document import schemas as document_schemas
from gateway.incidents.effects import Address
from gateway.incidents.incident import State, facts_of
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.steps import Step
from gateway.webhooks import Received
from groups.vocabulary import GroupId, IncidentCode, Refusal
from poc_server.api.bridge.incident_tellers import Teller, Told
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import UseBridge, address_of
from poc_server.api.shapes import Id
from poc_server.bridge import senders
from poc_server.bridge.links import name_of
from poc_server.bridge.step import Done
from poc_server.ground.refused import Refused
from poc_server.store import audit
from poc_server.store.bridge import incidents
from poc_server.store.bridge.incidents import Asked
from signaling.limits import MAX_PAGE
from signaling.messages import Refused as WireRefused

router = routes_of("incidents")


class Shape(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IncidentOut(Shape):
    """An incident as it stands. ``group``: its talk group; ``facts``: the case.

    ``unknown``: parties nobody knows; ``empty``: parties that are known and are nobody just now.
    ``names``, ``badges``: what its members are called, and by what a case system knows them.
    ``online``, ``listening``: how many have its group open, and would hear.
    """

    code: str
    group: str
    address: Address
    state: State
    members: list[str]
    names: dict[str, str]
    badges: dict[str, str]
    online: int
    listening: int
    unknown: list[str]
    empty: list[str]
    links: list[str]
    taps: dict[str, str]
    attention: int
    lamp: str
    version: int
    facts: dict[str, JsonValue]


class TakenOut(Shape):
    """What became of news: the incident now, and why it changed nothing (``repeated``, ``old``, ``taken_back``), if so.

    ``late``: newer news of the case were known already, before which these were put. ``fits``: false when the step is
    none that leads on from where the case stood; it is in the case's log, and changed no state. ``rivals``: other news
    of the case carry the same version; the later ``at`` decides which of them counts as the later. ``ahead_ms``: how
    far ``at`` lies ahead of this server's clock; whole hours are another time zone's.
    """

    incident: IncidentOut
    discarded: str | None
    late: bool = False
    fits: bool = True
    rivals: bool = False
    ahead_ms: int = 0


class EventOut(Shape):
    """One thing that happened. ``sequence`` counts within the incident."""

    sequence: int
    id: str
    type: str
    at_ms: int
    recording: str | None
    data: dict[str, JsonValue]


class LinkOut(Shape):
    """A link that opens by itself until ``expires_ms``."""

    url: str
    expires_ms: int


class LinkIn(Shape):
    """An existing group."""

    group: Id


class TieIn(Shape):
    """A recorded burst."""

    recording: Id


class DeliveryOut(Shape):
    """What a delivery of a sender came to."""

    taken: int
    refused: list[str]


async def _code(code: Annotated[str, Path(min_length=1, max_length=MAX_CODE_CHARS)]) -> IncidentCode:
    try:
        return incident_code(code)
    except WireRefused:
        raise Refused(Refusal.BAD_MESSAGE, "code") from None


Code = Annotated[IncidentCode, Depends(_code)]


_PREFIX = "Case"
_DOCUMENT = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{_PREFIX}Document"}}},
    }
}


def schemas() -> dict[str, Any]:
    """What the bodies of news are made of, for the description of the API; the bridge itself reads them."""
    return {_PREFIX + name: said for name, said in document_schemas(f"#/components/schemas/{_PREFIX}{{model}}").items()}


@router.put("/incidents/{code}", responses=documented(401, 403, 404, 409, 413, 422, 429, 503), openapi_extra=_DOCUMENT)
async def put_incident(code: Code, request: Request, told: Told) -> TakenOut:
    """Tell of a case: what it is and whom it was dispatched to. Its talk group is there when this answers.

    Repeating it changes nothing. Without ``step`` and ``state`` a case with parties counts as dispatched, one without
    as filed.
    """
    return await _take(told, code, senders.document(senders.read(await request.body())))


@router.post(
    "/incidents/{code}/news", responses=documented(401, 403, 404, 409, 413, 422, 429, 503), openapi_extra=_DOCUMENT
)
async def tell_news(code: Code, request: Request, told: Told) -> TakenOut:
    """Tell what was done to a case (``step``), or only what changed. Order is settled by ``version``."""
    return await _take(told, code, senders.document(senders.read(await request.body())))


@router.post("/incidents/{code}/close", responses=documented(401, 403, 404, 409, 413, 422, 429, 503))
async def close_incident(code: Code, told: Told) -> TakenOut:
    """The case is closed: its group ends after the hang time."""
    await told.find(code)
    return await _take(told, code, Document(step=Step.CLOSE))


@router.post("/senders/{sender}/news", responses=documented(401, 404, 413, 422, 429, 503))
async def deliver(sender: Annotated[str, Path(max_length=32)], request: Request, bridge: UseBridge) -> DeliveryOut:
    """A webhook in the sender's own form, read as its mapping file says."""
    received = Received(request.headers, await request.body(), address_of(request))
    taken = await bridge.inbox.deliver(sender, received)
    return DeliveryOut(taken=taken.taken, refused=list(taken.refused))


@router.get("/incidents", responses=documented(401, 403, 422, 503))
async def list_incidents(
    told: Told,
    address: Annotated[list[Address] | None, Query()] = None,
    q: Annotated[str, Query(max_length=64)] = "",
    sort: Literal["changed", "matters"] = "changed",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> list[IncidentOut]:
    """Incidents, those that changed last first; ``matters``: urgent ones first, then what rules bring forward.

    A dispatcher sees those of his unit and of the units below.
    """
    asked = Asked(frozenset(address or ()), q, told.units, matters_first=sort == "matters")
    return [_out(state, told) for state in await told.bridge.page(told.agency, limit, asked)]


@router.get("/incidents/{code}", responses=documented(401, 403, 404, 422, 503))
async def get_incident(code: Code, told: Told) -> IncidentOut:
    """One incident."""
    return _out(await told.find(code), told)


@router.get("/incidents/{code}/events", responses=documented(401, 403, 404, 422, 503))
async def get_events(
    code: Code,
    told: Told,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    before: Annotated[int | None, Query(ge=1, le=2**53)] = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> list[EventOut]:
    """What happened, in order: the same that receivers are told.

    The first ones after the sequence number ``after``; with ``before`` the last ones before that.
    """
    await told.find(code)
    bridge = told.bridge.bridge
    if before is None:
        found = await bridge.events(told.agency, code, after, limit)
    else:
        found = [each for each in await bridge.newest(told.agency, code, before, limit) if each.sequence > after]
    return [
        EventOut(
            sequence=event.sequence,
            id=event.id,
            type=event.type,
            at_ms=event.at,
            recording=event.recording,
            data=event.data,
        )
        for event in found
    ]


@router.put("/incidents/{code}/links", responses=documented(401, 403, 404, 422, 503))
async def link_group(code: Code, body: Annotated[LinkIn, Body()], told: Told) -> IncidentOut:
    """Tie an existing group to the incident: what is said there belongs to it from now on."""
    await told.find(code)
    told.reach_group(GroupId(body.group))
    done = await told.bridge.bridge.link(told.agency, code, GroupId(body.group), told.actor, heard=told.heard)
    return _out(done.after, told)


@router.delete("/incidents/{code}/links/{group}", responses=documented(401, 403, 404, 422, 503))
async def unlink_group(code: Code, group: Id, told: Told) -> IncidentOut:
    """Take a group off the incident again."""
    await told.find(code)
    done = await told.bridge.bridge.link(told.agency, code, GroupId(group), told.actor, False, told.heard)
    return _out(done.after, told)


@router.post("/incidents/{code}/bursts", responses=documented(401, 403, 404, 422, 503))
async def tie_burst(code: Code, body: Annotated[TieIn, Body()], told: Told) -> TakenOut:
    """Tie a recorded burst to the incident later; audited."""
    await told.find(code)
    happened, group, unit = await told.bridge.burst(told.agency, code, body.recording, told.actor)
    told.reach_group(group, unit)
    done = await told.bridge.bridge.tie(told.agency, code, happened, told.actor, told.heard)
    return taken(done, told)


@router.post("/incidents/{code}/log-link", responses=documented(401, 403, 404, 422, 503))
async def make_log_link(code: Code, told: Told) -> LinkOut:
    """A short-lived link to the incident's log page, for a case system to embed; audited.

    It opens what was said: for a system, and for who handles the case and may replay all that is said in its unit.
    """
    await told.find(code)
    await told.replay(code)
    now = told.services.store.clock()
    url, expires = told.bridge.links.log(told.agency, code, now)
    detail = {"link": name_of(url), "expires_ms": expires}
    entry = audit.entry(told.actor, now, "incident.link_made", "incident", code, detail, told.agency)
    told.services.store.journal.audit(entry)
    return LinkOut(url=url, expires_ms=expires)


# --- private --------------------------------------------------------------------------------------------------------


async def _take(told: Teller, code: IncidentCode, document: Document) -> TakenOut:
    async with told.bridge.entrance:
        await told.reach(code, document)
    done = await told.bridge.bridge.news(told.agency, code, document, told.actor, told.heard)
    version = _version(done.after) if document.version is None else document.version
    rows = [row for row in done.after.incident.log if row.version == version]
    late = not done.discarded and version < _version(done.before)
    return taken(done, told).model_copy(
        update={
            "late": late,
            "fits": all(row.fits for row in rows),
            "rivals": bool(done.rivals),
            "ahead_ms": max(0, (document.at or 0) - told.services.store.clock()),
        }
    )


def taken(done: Done, told: Teller) -> TakenOut:
    """What became of it, and the incident now."""
    discarded = done.discarded[0].why.value if done.discarded else None
    return TakenOut(incident=_out(done.after, told), discarded=discarded)


def _version(state: IncidentState) -> int:
    """The newest that is known of a case; -1 when there is none."""
    return max((each.version for each in state.news), default=state.base_order[0])


def _out(state: IncidentState, told: Teller) -> IncidentOut:
    group = incidents.group_of(told.agency, state.code)
    name, here = told.bridge.names(), told.bridge.presence(group)
    people = sorted({*state.members, *(user for user, _ in state.taps)})
    found = (told.services.directory.user(user) for user in people)
    return IncidentOut(
        code=state.code,
        group=group,
        address=state.address,
        state=state.incident.state,
        members=sorted(state.members),
        names={user: name(user) for user in people},
        badges={user.id: user.badge for user in found if user is not None and user.badge},
        online=here.online,
        listening=here.listening,
        unknown=list(state.unknown),
        empty=list(state.empty),
        links=sorted(state.groups),
        taps=dict(state.taps),
        attention=int(state.attention),
        lamp=state.lamp.value,
        version=_version(state),
        facts=facts_of(state.incident),
    )
