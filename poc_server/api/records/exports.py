"""Exports: ask for one, look how far it is, fetch it."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi.responses import FileResponse
from pydantic import Field

from groups.policy import Act
from groups.vocabulary import Refusal
from poc_server.api.records.recordings import Recorded, SearchIn
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Line
from poc_server.ground.refused import Refused
from poc_server.recording.exporting.exports import Wish
from poc_server.recording.replaying.access import scope_of
from poc_server.store.records.exports import Export, ExportState

router = routes_of("recordings", "/exports")


class ExportIn(Body):
    """What to export; at least one of incident, call, group, user or a span of time is named."""

    title: Line = ""
    search: SearchIn
    mp3: Annotated[bool, Field(description="Add MP3 copies for players that know no Opus")] = False


class ExportOut(Body):
    """An export. ``detail`` says why it failed."""

    id: str
    title: str
    state: ExportState
    recordings: int
    size: int
    asked_ms: int
    detail: str

    @classmethod
    def of(cls, export: Export) -> ExportOut:
        """Shown from the list."""
        return cls(
            id=export.id,
            title=export.title,
            state=export.state,
            recordings=export.recordings,
            size=export.size,
            asked_ms=export.asked_ms,
            detail=export.detail,
        )


@router.post("", status_code=202, **ruled(Act.EXPORT))
async def order(caller: SignedInCaller, services: Use, recorded: Recorded, asked: ExportIn) -> ExportOut:
    """Ask for an export. Refuses one who may export nothing, or a wish that names nothing."""
    scope = scope_of(services.directory, caller.user, Act.EXPORT)
    detail = {"search": asked.search.model_dump(mode="json", exclude_none=True), "title": asked.title}
    if not (scope.whole or scope.gone_in):
        services.audit(caller.actor, "export.refused", "user", caller.user.id, detail)
        raise Refused(Refusal.NOT_ALLOWED)
    named = asked.search
    if not (named.incident or named.call or named.group or named.user or (named.from_ms and named.until_ms)):
        raise Refused(Refusal.BAD_MESSAGE, "name an incident, call, group, user, or from_ms and until_ms")
    wish = Wish(caller.user.id, caller.user.agency, caller.user.name, scope, named.search(), asked.title, asked.mp3)
    export = await recorded.exports.order(wish)
    if export is None:
        raise Refused(Refusal.NO_RESOURCES, "too many exports are being made", retry_after_ms=30_000)
    services.audit(caller.actor, "export.order", "export", export.id, detail)
    return ExportOut.of(export)


@router.get("", **ruled(Act.EXPORT))
async def mine(caller: SignedInCaller, recorded: Recorded) -> list[ExportOut]:
    """What the caller has asked for in the last day."""
    return [ExportOut.of(export) for export in await recorded.exports.of(caller.user.id)]


@router.get("/{export}", **ruled(Act.EXPORT, 404))
async def one(caller: SignedInCaller, recorded: Recorded, export: Id) -> ExportOut:
    """How far one is."""
    return ExportOut.of(_found(await recorded.exports.find(export, caller.user.id)))


@router.get("/{export}/file", response_class=FileResponse, **ruled(Act.EXPORT, 404, 409))
async def file(caller: SignedInCaller, services: Use, recorded: Recorded, export: Id) -> FileResponse:
    """The ZIP. Refuses (conflict) while it is not ready."""
    found = _found(await recorded.exports.find(export, caller.user.id))
    if found.state is not ExportState.READY:
        raise Refused(Refusal.CONFLICT, found.state.value)
    path = recorded.exports.path(found)
    if not await asyncio.to_thread(path.is_file):  # a restore brings back its row alone
        raise Refused(Refusal.NOT_FOUND, "export")
    detail = {"recordings": found.recordings, "size": found.size}
    services.audit(caller.actor, "export.fetch", "export", found.id, detail)
    return FileResponse(path, media_type="application/zip", filename=f"{found.id}.zip")


def _found(export: Export | None) -> Export:
    if export is None:
        raise Refused(Refusal.NOT_FOUND, "export")
    return export
