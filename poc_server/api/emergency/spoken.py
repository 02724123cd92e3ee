"""Recorded messages, and the sound of a broadcast: recorded, said before, or being said just now."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import FileResponse

from groups.rights import Right, has
from groups.vocabulary import Refusal, UserId
from poc_server.api.body import LARGER
from poc_server.api.emergency.alerts import desk_of
from poc_server.api.emergency.broadcasts import broadcast_of
from poc_server.api.problems import documented
from poc_server.api.records.recordings import recordings_of
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, PathId
from poc_server.emergency.live_broadcast import LiveBroadcast
from poc_server.emergency.spoken import MAX_WAV_BYTES, SpokenMessages
from poc_server.ground.refused import Refused
from poc_server.recording.replaying.listening import AudioForm
from poc_server.store.records import recordings as query

router = routes_of("emergencies")
LARGER["/api/v1/messages"] = MAX_WAV_BYTES
Form = Annotated[AudioForm, Query(alias="as")]


class SpokenOut(Body):
    """A kept message: ``message`` goes into ``broadcast_start`` or a plan."""

    message: str
    duration_ms: int


def spoken_of(services: Services) -> SpokenMessages:
    """Recorded messages. Refuses (unavailable) where nothing is recorded."""
    found = desk_of(services).spoken
    if found is None:
        raise Refused(Refusal.UNAVAILABLE, "recording is off")
    return found


@router.post("/messages", status_code=201, responses=documented(401, 403, 413, 422, 503))
async def keep(request: Request, caller: SignedInCaller, services: Use) -> SpokenOut:
    """Keep a recorded message: 16-bit PCM WAV of 8, 12, 16, 24 or 48 kHz as the body, at most two minutes."""
    if not has(caller.user, Right.BROADCAST) and not has(caller.user, Right.PLANS):
        raise Refused(Refusal.NOT_ALLOWED)
    made = await spoken_of(services).keep(await request.body())
    detail = {"samples": made.samples}
    services.audit(caller.actor, "message.keep", "message", made.key, detail)
    return SpokenOut(message=made.key, duration_ms=made.samples // 48)


@router.get("/messages/{message}/audio", response_class=FileResponse, responses=documented(401, 403, 404, 503))
async def message_audio(
    message: PathId, caller: SignedInCaller, services: Use, form: Form = AudioForm.OGG
) -> FileResponse:
    """A recorded message, for those who may broadcast it."""
    if not has(caller.user, Right.BROADCAST) and not has(caller.user, Right.PLANS):
        raise Refused(Refusal.NOT_ALLOWED)
    return await _message(services, message, form)


@router.get("/broadcasts/{broadcast}/audio", response_class=FileResponse, responses=documented(401, 404, 503))
async def broadcast_audio(
    broadcast: PathId, caller: SignedInCaller, services: Use, form: Form = AudioForm.OGG
) -> FileResponse:
    """What a broadcast says, from the start, to those it is for; while it is being said, what was said so far."""
    live = await broadcast_of(broadcast, services)
    user = UserId(caller.user.id)
    if live is None or not (user in live.receipts or desk_of(services).broadcasts.may_see(caller.user, live.by)):
        raise Refused(Refusal.NOT_FOUND)
    services.audit(caller.actor, "broadcast.play", "broadcast", live.id)
    if live.message is not None:
        return await _message(services, live.message, form)
    return await _said(services, live, form)


async def _said(services: Services, live: LiveBroadcast, form: AudioForm) -> FileResponse:
    recorded = await recordings_of(services)
    if live.group is None or live.life.burst is None:
        raise Refused(Refusal.NOT_FOUND, "nothing was said")
    spool = await recorded.on_air(live.group) if live.life.talking else None
    if spool is not None and (so_far := await recorded.so_far(spool)) is not None:
        return FileResponse(so_far, media_type=AudioForm.OGG.media_type, content_disposition_type="inline")
    async with services.store.reading() as connection:
        row = await query.of_burst(connection, live.group, live.life.burst)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "its recording is not ready yet")
    path = await recorded.listening.file(row.key, row.file, form)
    return FileResponse(path, media_type=form.media_type, content_disposition_type="inline")


async def _message(services: Services, message: str, form: AudioForm) -> FileResponse:
    spoken = spoken_of(services)
    found = spoken.find(message)
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "message")
    path = await spoken.file(found, form)
    return FileResponse(path, media_type=form.media_type, content_disposition_type="inline")
