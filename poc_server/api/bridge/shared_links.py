"""Signed links: voice, photos and the log of an incident, to whoever has the link while it lives. Audited."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import Depends, Header, Path, Query
from fastapi.responses import FileResponse, HTMLResponse

from groups.vocabulary import AgencyId, Refusal
from poc_server.api.bridge.incidents import Code
from poc_server.api.plays import Play
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Address, Services, Use, UseBridge
from poc_server.bridge.links import name_of
from poc_server.bridge.log_page import LOG_EVENTS, Pages, ended_page, log_page
from poc_server.bridge.opened import OpenBridge
from poc_server.ground.refused import Refused
from poc_server.store import Actor, audit
from poc_server.store.bridge import incident_bursts

router = routes_of("incidents", "/shared")

MAX_SEQUENCE: Final = 2**53
_OPEN = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin", "Cache-Control": "private"}
_PAGE_SECURITY = "default-src 'none'; media-src 'self'; img-src 'self'; style-src 'unsafe-inline'; frame-ancestors *"
_PAGE_HEADERS = {"Content-Security-Policy": _PAGE_SECURITY, "Referrer-Policy": "no-referrer"}


@dataclass(frozen=True, slots=True)
class Visitor:
    """One who came with a link, from ``address``; who he is nobody knows."""

    services: Services
    bridge: OpenBridge
    address: str
    expires_ms: int
    signature: str

    def opens(self, what: str) -> int:
        """The time now, ms since the epoch. Refuses (not_allowed) when the link does not open ``what``."""
        now = self.services.store.clock()
        if not self.opens_now(what, now):
            raise Refused(Refusal.NOT_ALLOWED, "link")
        return now

    def opens_now(self, what: str, now: int) -> bool:
        """Whether the link opens ``what`` at ``now`` (ms since the epoch)."""
        return self.bridge.links.opens(what, self.expires_ms, self.signature, now)


async def visitor_of(
    services: Use,
    bridge: UseBridge,
    address: Address,
    expires: Annotated[int, Query(ge=0, le=2**53)],
    signature: Annotated[str, Query(max_length=64)],
) -> Visitor:
    """Whoever asks."""
    return Visitor(services, bridge, address, expires, signature)


Visiting = Annotated[Visitor, Depends(visitor_of)]


@router.get("/recordings/{key}.ogg", responses=documented(401, 403, 404, 503), response_class=FileResponse)
async def shared_recording(key: Annotated[str, Path(max_length=64)], visitor: Visiting) -> FileResponse:
    """The audio of a recording, to whoever has its link while it lives."""
    now = visitor.opens(f"recording/{key}")
    async with visitor.services.store.reading() as connection:
        found = await incident_bursts.recording(connection, key)
    path = visitor.bridge.file_of(found) if found is not None else None
    if found is None or path is None:
        raise Refused(Refusal.NOT_FOUND, "recording")
    detail = {"group": found.group, "started_ms": found.started_ms}
    _audit(visitor, now, "recording.link_played", ("recording", key), AgencyId(found.agency), detail)
    return FileResponse(path, media_type="audio/ogg", headers=_OPEN, content_disposition_type="inline")


@router.get("/photos/{key}", responses=documented(401, 403, 404, 503), response_class=FileResponse)
async def shared_photo(key: Annotated[str, Path(max_length=80)], visitor: Visiting) -> FileResponse:
    """A photo, to whoever has its link while it lives."""
    now = visitor.opens(f"photo/{key}")
    found = await visitor.bridge.photo(key)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "photo")
    _audit(visitor, now, "material.link_opened", ("material", key), found.agency, {"group": found.group})
    headers = {**_OPEN, "X-Content-Type-Options": "nosniff"}
    return FileResponse(found.path, media_type=found.media_type, headers=headers, content_disposition_type="inline")


@router.get(
    "/incidents/{agency}/{code}",
    responses={**documented(401, 404), 403: {"description": "The link has ended, or is not right"}},
    response_class=HTMLResponse,
)
async def shared_log(
    agency: Annotated[str, Path(max_length=64)],
    code: Code,
    visitor: Visiting,
    before: Annotated[int | None, Query(ge=1, le=MAX_SEQUENCE)] = None,
    accept_language: Annotated[str, Header()] = "",
) -> HTMLResponse:
    """The log of an incident: timeline, player, places. To whoever has its link while it lives.

    The newest events, or with ``before`` the newest before that sequence number; the page leads to the others.
    """
    english = accept_language.strip().lower().startswith("en")
    now = visitor.services.store.clock()
    if not visitor.opens_now(f"log/{agency}/{code}", now):
        # It stands in a frame of somebody's page: what it says is for people.
        return HTMLResponse(ended_page(english=english), 403, headers=_PAGE_HEADERS)
    bridge = visitor.bridge
    state = await bridge.bridge.find(AgencyId(agency), code)
    found = await bridge.bridge.newest(AgencyId(agency), code, before or MAX_SEQUENCE, LOG_EVENTS + 1)
    events = found[-LOG_EVENTS:]
    later = before is not None and bool(await bridge.bridge.events(AgencyId(agency), code, before - 1, 1))
    pages = Pages(
        earlier=_log_link(visitor, events[0].sequence) if len(found) > LOG_EVENTS else None,
        later=_log_link(visitor, before + LOG_EVENTS) if before is not None and later else None,
    )
    links = {event.recording: bridge.links.recording(event.recording, now)[0] for event in events if event.recording}
    photos = (event.data.get("photo") for event in events)
    links |= {key: bridge.links.photo(key, now)[0] for key in photos if isinstance(key, str)}
    html = log_page(state, events, links, bridge.names(), pages, english=english)
    _audit(visitor, now, "incident.link_opened", ("incident", code), AgencyId(agency), {})
    return HTMLResponse(html, headers=_PAGE_HEADERS)


def _log_link(visitor: Visitor, before: int) -> str:
    """Another part of the same log, by the same link."""
    return f"?expires={visitor.expires_ms}&signature={quote(visitor.signature, safe='')}&before={before}"


def _audit(
    visitor: Visitor, now: int, action: str, what: tuple[str, str], agency: AgencyId, detail: dict[str, object]
) -> None:
    """Tell of this use: once for each link, address and thing in ``recording.play_s``.

    A frame that is shown again, or a player that fetches in pieces, does not fill the audit.
    """
    link = name_of(visitor.signature)
    if visitor.services.plays.begins(Play(link, visitor.address, "/".join(what)), now, goes_on=True):
        said = {**detail, "link": link, "expires_ms": visitor.expires_ms}
        entry = audit.entry(Actor(None, agency, visitor.address), now, action, *what, said)
        visitor.services.store.journal.audit(entry)
