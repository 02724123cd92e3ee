"""Incidents over HTTP: told by case systems and dispatchers, read, linked; their events, their log and its audio."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse, HTMLResponse
from fastapi.security import HTTPAuthorizationCredentials
from pydantic import BaseModel, ConfigDict, JsonValue

from gateway.case_code import MAX_CODE_CHARS, incident_code
from gateway.document import Document
from gateway.effects import Address
from gateway.incident import State, facts_of
from gateway.lifecycle import IncidentState
from gateway.steps import Step
from gateway.webhooks import Received
from groups.policy import Act, may
from groups.vocabulary import AgencyId, GroupId, IncidentCode, Refusal
from poc_server.api.problems import documented
from poc_server.api.services import (
    Services,
    Use,
    UseBridge,
    address_of,
    bearer_of,
    bridge_of,
    caller_of,
)
from poc_server.api.shapes import Id
from poc_server.bridge import senders
from poc_server.bridge.log_page import log_page
from poc_server.bridge.opened import OpenBridge
from poc_server.bridge.step import Done
from poc_server.refused import Refused
from poc_server.store import Actor, incident_bursts, incidents
from poc_server.store.ids import now_ms
from signaling.messages import Refused as WireRefused

router = APIRouter(tags=["incidents"])
MAX_PAGE = 200


class Shape(BaseModel):
    """Base of all answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IncidentOut(Shape):
    """An incident as it stands. ``group``: its talk group; ``unknown``: parties nobody knows; ``facts``: the case."""

    code: str
    group: str
    address: Address
    state: State
    members: list[str]
    unknown: list[str]
    links: list[str]
    taps: dict[str, str]
    attention: int
    lamp: str
    version: int
    facts: dict[str, JsonValue]


class TakenOut(Shape):
    """What became of news: the incident now, and whether the news changed nothing (``repeated``, ``old``)."""

    incident: IncidentOut
    discarded: str | None


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


def _code(code: Annotated[str, Path(min_length=1, max_length=MAX_CODE_CHARS)]) -> IncidentCode:
    try:
        return incident_code(code)
    except WireRefused:
        raise Refused(Refusal.BAD_MESSAGE, "code") from None


Code = Annotated[IncidentCode, Depends(_code)]


async def _told_by(request: Request, services: Use) -> tuple[AgencyId, Actor]:
    """Who tells of a case: a signed-in user who may handle incidents, or a system that proves itself."""
    bearer = bearer_of(request)
    if bearer is not None and _is_token(bearer):
        return _handler(request, services, bearer)
    bridge = bridge_of(request)
    sender = bridge.inbox.prove(Received(request.headers, await request.body(), address_of(request)))
    return bridge.bridge.agency(), Actor(address=f"{sender.id} {address_of(request)}"[:64])


Told = Annotated[tuple[AgencyId, Actor], Depends(_told_by)]


def _handler(request: Request, services: Services, bearer: HTTPAuthorizationCredentials) -> tuple[AgencyId, Actor]:
    caller = caller_of(request, services, bearer)
    unit = services.directory.unit(caller.user.unit)
    refused = Refusal.NOT_ALLOWED if unit is None else may(Act.HANDLE_INCIDENT, caller.user, unit, services.directory)
    if refused is not None:
        raise Refused(refused)
    return caller.user.agency, caller.actor


def _is_token(bearer: HTTPAuthorizationCredentials) -> bool:
    """An access token of ours is a JWT; a system's API key may come as a bearer, too, and is none."""
    return bearer.credentials.count(".") == 2


@router.put("/incidents/{code}", responses=documented(401, 403, 409, 413, 422, 429, 503))
async def put_incident(code: Code, request: Request, told: Told, bridge: UseBridge) -> TakenOut:
    """Tell of a case: what it is and whom it was dispatched to. Its talk group is there when this answers.

    Repeating it changes nothing. Without ``step`` and ``state`` a case with parties counts as dispatched, one without
    as filed.
    """
    return await _take(bridge, told, code, senders.document(senders.read(await request.body())))


@router.post("/incidents/{code}/news", responses=documented(401, 403, 409, 413, 422, 429, 503))
async def tell_news(code: Code, request: Request, told: Told, bridge: UseBridge) -> TakenOut:
    """Tell what was done to a case (``step``), or only what changed. Order is settled by ``version``."""
    return await _take(bridge, told, code, senders.document(senders.read(await request.body())))


@router.post("/incidents/{code}/close", responses=documented(401, 403, 409, 413, 422, 429, 503))
async def close_incident(code: Code, told: Told, bridge: UseBridge) -> TakenOut:
    """The case is closed: its group ends after the hang time."""
    await bridge.bridge.find(told[0], code)
    return await _take(bridge, told, code, Document(step=Step.CLOSE))


@router.post("/senders/{sender}/news", responses=documented(401, 404, 413, 422, 429, 503))
async def deliver(sender: Annotated[str, Path(max_length=32)], request: Request, bridge: UseBridge) -> DeliveryOut:
    """A webhook in the sender's own form, read as its mapping file says."""
    received = Received(request.headers, await request.body(), address_of(request))
    taken = await bridge.inbox.deliver(sender, received)
    return DeliveryOut(taken=taken.taken, refused=list(taken.refused))


@router.get("/incidents", responses=documented(401, 403, 422, 503))
async def list_incidents(
    told: Told,
    bridge: UseBridge,
    address: Annotated[list[Address] | None, Query()] = None,
    q: Annotated[str, Query(max_length=64)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
) -> list[IncidentOut]:
    """Incidents, those that changed last first."""
    return [_out(state, told[0]) for state in await bridge.page(told[0], limit, address or [], q)]


@router.get("/incidents/{code}", responses=documented(401, 403, 404, 422, 503))
async def get_incident(code: Code, told: Told, bridge: UseBridge) -> IncidentOut:
    """One incident."""
    return _out(await bridge.bridge.find(told[0], code), told[0])


@router.get("/incidents/{code}/events", responses=documented(401, 403, 404, 422, 503))
async def get_events(
    code: Code,
    told: Told,
    bridge: UseBridge,
    after: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 200,
) -> list[EventOut]:
    """What happened, in order: the same that receivers are told."""
    await bridge.bridge.find(told[0], code)
    return [
        EventOut(
            sequence=event.sequence,
            id=event.id,
            type=event.type,
            at_ms=event.at,
            recording=event.recording,
            data=event.data,
        )
        for event in await bridge.bridge.events(told[0], code, after, limit)
    ]


@router.put("/incidents/{code}/links", responses=documented(401, 403, 404, 422, 503))
async def link_group(code: Code, body: Annotated[LinkIn, Body()], told: Told, bridge: UseBridge) -> IncidentOut:
    """Tie an existing group to the incident: what is said there belongs to it from now on."""
    done = await bridge.bridge.link(told[0], code, GroupId(body.group), told[1])
    return _out(done.after, told[0])


@router.delete("/incidents/{code}/links/{group}", responses=documented(401, 403, 404, 422, 503))
async def unlink_group(code: Code, group: Id, told: Told, bridge: UseBridge) -> IncidentOut:
    """Take a group off the incident again."""
    done = await bridge.bridge.link(told[0], code, GroupId(group), told[1], linked=False)
    return _out(done.after, told[0])


@router.post("/incidents/{code}/bursts", responses=documented(401, 403, 404, 422, 503))
async def tie_burst(code: Code, body: Annotated[TieIn, Body()], told: Told, bridge: UseBridge) -> TakenOut:
    """Tie a recorded burst to the incident later; audited."""
    done = await bridge.tie(told[0], code, body.recording, told[1])
    return _taken(done, told[0])


@router.post("/incidents/{code}/log-link", responses=documented(401, 403, 404, 422, 503))
async def make_log_link(code: Code, told: Told, bridge: UseBridge) -> LinkOut:
    """A short-lived link to the incident's log page, for a case system to embed."""
    await bridge.bridge.find(told[0], code)
    url, expires = bridge.links.log(told[0], code, now_ms())
    return LinkOut(url=url, expires_ms=expires)


# --- Signed links ---------------------------------------------------------------------------------------------------

Expires = Annotated[int, Query(ge=0, le=2**53)]
Signature = Annotated[str, Query(max_length=64)]
_OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "private"}
_PAGE_SECURITY = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors *"


@router.get("/shared/recordings/{key}.ogg", responses=documented(401, 403, 404), response_class=FileResponse)
async def shared_recording(
    key: Annotated[str, Path(max_length=64)], expires: Expires, signature: Signature, services: Use, bridge: UseBridge
) -> Response:
    """The audio of a recording, to whoever has its link while it lives."""
    if not bridge.links.opens(f"recording/{key}", expires, signature, now_ms()):
        raise Refused(Refusal.NOT_ALLOWED, "link")
    async with services.store.reading() as connection:
        found = await incident_bursts.recording(connection, key)
    path = bridge.file_of(found) if found is not None else None
    if path is None:
        raise Refused(Refusal.NOT_FOUND, "recording")
    return FileResponse(path, media_type="audio/ogg", headers=_OPEN, content_disposition_type="inline")


@router.get("/shared/photos/{key}", responses=documented(401, 403, 404), response_class=FileResponse)
async def shared_photo(
    key: Annotated[str, Path(max_length=80)], expires: Expires, signature: Signature, bridge: UseBridge
) -> Response:
    """A photo, to whoever has its link while it lives."""
    if not bridge.links.opens(f"photo/{key}", expires, signature, now_ms()):
        raise Refused(Refusal.NOT_ALLOWED, "link")
    found = await bridge.photo(key)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "photo")
    headers = {**_OPEN, "X-Content-Type-Options": "nosniff"}
    return FileResponse(found[0], media_type=found[1], headers=headers, content_disposition_type="inline")


@router.get("/shared/incidents/{agency}/{code}", responses=documented(401, 403, 404), response_class=HTMLResponse)
async def shared_log(
    agency: Annotated[str, Path(max_length=64)],
    code: Code,
    expires: Expires,
    signature: Signature,
    bridge: UseBridge,
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The log of an incident: timeline, player, places. To whoever has its link while it lives."""
    now = now_ms()
    if not bridge.links.opens(f"log/{agency}/{code}", expires, signature, now):
        raise Refused(Refusal.NOT_ALLOWED, "link")
    state = await bridge.bridge.find(AgencyId(agency), code)
    events = await bridge.bridge.events(AgencyId(agency), code, 0, 1_000)
    english = accept_language.strip().lower().startswith("en")
    links = {event.recording: bridge.links.recording(event.recording, now)[0] for event in events if event.recording}
    photos = (event.data.get("photo") for event in events)
    links |= {key: bridge.links.photo(key, now)[0] for key in photos if isinstance(key, str)}
    html = log_page(state, events, links, bridge.names(), english=english)
    return HTMLResponse(html, headers={"Content-Security-Policy": _PAGE_SECURITY, "Referrer-Policy": "no-referrer"})


# --- private --------------------------------------------------------------------------------------------------------


async def _take(bridge: OpenBridge, told: tuple[AgencyId, Actor], code: IncidentCode, document: Document) -> TakenOut:
    agency, actor = told
    return _taken(await bridge.bridge.news(agency, code, document, actor), agency)


def _taken(done: Done, agency: AgencyId) -> TakenOut:
    discarded = done.discarded[0].why.value if done.discarded else None
    return TakenOut(incident=_out(done.after, agency), discarded=discarded)


def _out(state: IncidentState, agency: AgencyId) -> IncidentOut:
    return IncidentOut(
        code=state.code,
        group=incidents.group_of(agency, state.code),
        address=state.address,
        state=state.incident.state,
        members=sorted(state.members),
        unknown=list(state.unknown),
        links=sorted(state.groups),
        taps=dict(state.taps),
        attention=int(state.attention),
        lamp=state.lamp.value,
        version=max((each.version for each in state.news), default=state.base_order[0]),
        facts=facts_of(state.incident),
    )
