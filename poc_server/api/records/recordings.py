"""Recordings: search, one, its audio. Who may hear what is decided by policy and membership at the time."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from fastapi import Depends, Query, Request
from fastapi.responses import FileResponse
from pydantic import Field

from groups.policy import Act
from groups.vocabulary import BurstEnd, GroupId, Refusal, Tier, UserId
from poc_server.api.plays import Play
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Line
from poc_server.ground.refused import Refused
from poc_server.recording.recordings import Recordings
from poc_server.recording.replaying.access import scope_of
from poc_server.recording.replaying.listening import AudioForm
from poc_server.store.bridge import incidents
from poc_server.store.records import recordings as query
from poc_server.store.records.recordings import Area, Found, Page, Search
from signaling.limits import MAX_PAGE

router = routes_of("recordings", "/recordings")

Ms = Annotated[int, Query(ge=0, le=2**53)]


class TalkerOut(Body):
    """Who spoke; ``id`` is absent when the system itself did."""

    id: str | None
    name: str


class RecordingOut(Body):
    """One recorded talk burst. Times in ms since the epoch.

    ``group_name`` of a group that is gone is the name of its case, or empty. ``lost``: frames that never came from the
    phone; ``unrecorded``: packets that the disk did not take; ``filled_ms``: silence and concealment in place of both.
    ``audio`` says whether there is a file. ``peaks``: base64 of one byte for each of equally long slices.
    """

    id: str
    group: str
    group_name: str
    burst: int
    call: str | None
    talker: TalkerOut
    device: str | None
    node: str
    tier: Tier
    priority: int
    incident: str | None
    started_ms: int
    ended_ms: int
    end: BurstEnd
    duration_ms: int
    packets: int
    lost: int
    unrecorded: int
    filled_ms: int
    place: dict[str, Any] | None
    audio: bool
    size: int
    sha256: str
    peaks: str
    kept_ms: int

    @classmethod
    def of(cls, row: Found, services: Services, gone: Mapping[GroupId, str] = MappingProxyType({})) -> RecordingOut:
        """Of a row; ``gone``: what groups were called that are not in the directory."""
        group = services.directory.group(row.group_id)
        return cls(
            id=row.key,
            group=row.group_id,
            group_name=group.name if group else gone.get(row.group_id, ""),
            burst=row.id,
            call=row.call_id,
            talker=TalkerOut(id=row.user_id, name=row.user_name),
            device=row.device_id,
            node=row.node,
            tier=Tier(row.tier),
            priority=row.priority,
            incident=row.incident,
            started_ms=row.started_ms,
            ended_ms=row.ended_ms,
            end=BurstEnd(row.end_reason),
            duration_ms=row.duration_ms,
            packets=row.packets,
            lost=row.lost,
            unrecorded=row.unrecorded,
            filled_ms=row.filled_ms,
            place=row.place,
            audio=bool(row.file),
            size=row.size,
            sha256=row.sha256,
            peaks=base64.b64encode(row.peaks).decode(),
            kept_ms=row.kept_ms,
        )


class RecordingsOut(Body):
    """A page of a list; ``next`` goes into ``after`` for the next one, absent at the end."""

    recordings: list[RecordingOut]
    next: str | None


class SearchIn(Body):
    """What to look for. ``area``: west, south, east, north in degrees of the recorded datum.

    ``audio``: only what has sound.
    """

    group: Id | None = None
    user: Id | None = None
    incident: Line | None = None
    call: Id | None = None
    from_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    until_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    tier: Tier | None = None
    shortest_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    longest_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    area: Annotated[str, Field(max_length=100)] | None = None
    audio: bool = False
    order: Literal["newest", "oldest"] = "newest"
    after: Annotated[str, Field(pattern=r"^\d{1,16}\.b-[0-9a-f]{24}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50

    def search(self) -> Search:
        """As the store wants it. Refuses an area that is none."""
        return Search(
            group=GroupId(self.group) if self.group else None,
            user=UserId(self.user) if self.user else None,
            incident=self.incident,
            call=self.call,
            from_ms=self.from_ms,
            until_ms=self.until_ms,
            tier=self.tier,
            shortest_ms=self.shortest_ms,
            longest_ms=self.longest_ms,
            area=area_of(self.area) if self.area else None,
            audio=self.audio,
        )

    def page(self) -> Page:
        """As the store wants it."""
        return Page(self.limit, _cursor(self.after) if self.after else None, self.order == "oldest")


async def recordings_of(services: Use) -> Recordings:
    """The recorder's part of the server. Refuses when nothing is recorded here."""
    if services.recordings is None:
        raise Refused(Refusal.UNAVAILABLE, "recording is off")
    return services.recordings


Recorded = Annotated[Recordings, Depends(recordings_of)]
Form = Annotated[AudioForm, Query(alias="as")]


async def _gone(rows: Iterable[Found], services: Services) -> dict[GroupId, str]:
    """What the cases were called whose groups have left the directory."""
    groups = {row.group_id for row in rows if row.incident and services.directory.group(row.group_id) is None}
    if not groups:
        return {}
    async with services.store.reading() as connection:
        return await incidents.titles(connection, groups)


@router.get("", **ruled(Act.REPLAY))
async def search(caller: SignedInCaller, services: Use, asked: Annotated[SearchIn, Query()]) -> RecordingsOut:
    """Recordings that the caller may hear."""
    page = asked.page()
    async with services.store.reading() as connection:
        rows = await query.search(connection, scope_of(services.directory, caller.user), asked.search(), page)
    gone = await _gone(rows, services)
    full = len(rows) == page.limit
    following = f"{rows[-1].started_ms}.{rows[-1].key}" if full else None
    return RecordingsOut(recordings=[RecordingOut.of(row, services, gone) for row in rows], next=following)


@router.get("/{recording}", **ruled(Act.REPLAY, 404))
async def one(caller: SignedInCaller, services: Use, recording: Id) -> RecordingOut:
    """One recording."""
    row = await allowed(caller, services, recording)
    return RecordingOut.of(row, services, await _gone([row], services))


@router.get("/{recording}/audio", response_class=FileResponse, **ruled(Act.REPLAY, 404))
async def audio(
    request: Request,
    caller: SignedInCaller,
    services: Use,
    recorded: Recorded,
    recording: Id,
    form: Form = AudioForm.OGG,
) -> FileResponse:
    """The voice, in ranges if wanted.

    ``ogg``: the file as it is kept. ``mp4``: the same Opus packets in MP4. ``mp3``: made anew for players that know
    no Opus. Each play is audited: a request of the whole always, requests for ranges of it once in
    ``recording.play_s`` for each listener and recording.
    """
    row = await allowed(caller, services, recording)
    if not row.file:
        raise Refused(Refusal.NOT_FOUND, "nothing was recorded")
    path = await recorded.listening.file(row.key, row.file, form)
    play = Play(caller.user.id, caller.actor.address, row.key, form)
    if services.plays.begins(play, services.store.clock(), goes_on="range" in request.headers):
        services.store.journal.audit(recorded.played(caller.actor, row, form))
    name = f"{row.key}.{form.value}"
    return FileResponse(path, media_type=form.media_type, filename=name, content_disposition_type="inline")


async def allowed(caller: Caller, services: Services, recording: str) -> Found:
    """The row of a recording the caller may hear. Refuses (not_found), and audits, one that he may not."""
    async with services.store.reading() as connection:
        row = await query.one(connection, scope_of(services.directory, caller.user), recording)
        hidden = None if row is not None else await query.any_one(connection, recording)
    if row is not None:
        return row
    if hidden is not None and services.recordings is not None:
        services.store.journal.audit(services.recordings.refused(caller.actor, hidden))
    raise Refused(Refusal.NOT_FOUND, "recording")


def area_of(text: str) -> Area:
    """The box that a query names. Refuses (bad_message) what is none."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise Refused(Refusal.BAD_MESSAGE, "area: west,south,east,north") from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise Refused(Refusal.BAD_MESSAGE, "area: west,south,east,north in degrees")
    return Area(west, south, east, north)


def _cursor(text: str) -> tuple[int, str]:
    at, _, key = text.partition(".")
    return int(at), key
