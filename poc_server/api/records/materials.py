"""Evidence from the field (现场取证): photos and notes, sent in chunks, seen by those who may replay what was said."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Header, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import AfterValidator, Field

from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import GroupId, IncidentCode, Refusal
from poc_server.api import rights
from poc_server.api.records.recordings import Recorded, area_of
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Line
from poc_server.ground.chain import Kind
from poc_server.ground.refused import Refused
from poc_server.recording.keeping.uploads import CHUNK_BYTES, FORGET_MS, Uploads
from poc_server.recording.keeping.watermark import watermarked
from poc_server.recording.replaying.access import scope_of
from poc_server.store.bridge import incidents
from poc_server.store.city import membership_periods
from poc_server.store.city.membership_periods import Home
from poc_server.store.ids import clean
from poc_server.store.places import Position, ServingCell
from poc_server.store.records import materials
from poc_server.store.records.materials import Material, MaterialSearch, MaterialState, Origin
from poc_server.store.records.recordings import Page
from signaling.limits import MAX_PAGE

router = routes_of("materials", "/materials")

MAX_BYTES = 25_000_000
"""Largest photo."""
MAX_NOTE = 2_000
LATE_MS = FORGET_MS
"""What was taken longer ago is refused to who has no right any more to where it was taken."""
MaterialId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
"""Chosen by the device, at random, so that what it announces twice is one thing."""
LATEST_MS = 4_102_444_800_000
"""The end of 2099. What a device says that it took later is refused: no calendar names every time it might say."""
Ms = Annotated[int, Field(ge=0, le=2**53)]
DeviceMs = Annotated[int, Field(ge=0, le=LATEST_MS)]
MediaType = Literal["", "image/jpeg", "image/png", "image/webp", "image/heic"]
Note = Annotated[str, Field(max_length=MAX_NOTE), AfterValidator(clean)]


class MaterialIn(Body):
    """What a device announces. ``taken_ms`` and ``sent_ms`` by its own clock; the difference to ours is kept.

    A photo names its type, size and SHA-256; a note needs none and is kept at once. ``incident`` is that of ``group``
    unless named. ``place`` and ``cell`` name their source; without ``place`` the last one the device told is taken.
    """

    id: MaterialId
    kind: Literal["photo", "note"]
    group: Id
    incident: Annotated[str, Field(min_length=1, max_length=48)] | None = None
    note: Note = ""
    origin: Origin = Origin.NONE
    taken_ms: DeviceMs
    sent_ms: DeviceMs
    place: Position | None = None
    cell: ServingCell | None = None
    media_type: MediaType = ""
    size: Annotated[int, Field(ge=0, le=MAX_BYTES)] = 0
    sha256: Annotated[str, Field(pattern="^([0-9a-f]{64})?$")] = ""


class MaterialOut(Body):
    """A photo or note. While it is ``receiving`` the next chunk begins at ``offset``, with at most ``chunk_bytes``.

    ``detail`` says why it was refused. ``begun_ms`` and ``kept_ms`` by the server's clock; ``clock_offset_ms`` is to be
    added to ``taken_ms`` to have the server's time.
    """

    id: str
    kind: str
    state: MaterialState
    group: str
    incident: str | None
    user: str
    user_name: str
    note: str
    origin: Origin
    taken_ms: int
    clock_offset_ms: int
    begun_ms: int
    kept_ms: int | None
    place: dict[str, Any] | None
    cell: dict[str, Any] | None
    media_type: str
    size: int
    sha256: str
    detail: str
    offset: int
    chunk_bytes: int = CHUNK_BYTES

    @classmethod
    def of(cls, row: Any, offset: int) -> MaterialOut:
        """Of a row."""
        return cls(
            id=row.id,
            kind=row.kind,
            state=MaterialState(row.state),
            group=row.group_id,
            incident=row.incident,
            user=row.user_id,
            user_name=row.user_name,
            note=row.note,
            origin=Origin(row.origin),
            taken_ms=row.taken_ms,
            clock_offset_ms=row.clock_offset_ms,
            begun_ms=row.begun_ms,
            kept_ms=row.kept_ms,
            place=row.place,
            cell=row.cell,
            media_type=row.media_type,
            size=row.size,
            sha256=row.sha256,
            detail=row.detail,
            offset=offset,
        )


class MaterialsOut(Body):
    """A page of a list; ``next`` goes into ``after`` for the next one, absent at the end."""

    materials: list[MaterialOut]
    next: str | None


class MaterialsIn(Body):
    """What to look for. ``area``: west, south, east, north in degrees."""

    group: Id | None = None
    incident: Line | None = None
    user: Id | None = None
    kind: Literal["photo", "note"] | None = None
    from_ms: Ms | None = None
    until_ms: Ms | None = None
    area: Annotated[str, Field(max_length=100)] | None = None
    after: Annotated[str, Field(pattern=r"^\d{1,16}\.[A-Za-z0-9_-]{16,64}$")] | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50


async def _uploads(recorded: Recorded) -> Uploads:
    return recorded.uploads


Receiving = Annotated[Uploads, Depends(_uploads)]


@router.post("", status_code=201, **ruled(Act.REPORT, 404, 409))
async def announce(caller: SignedInCaller, services: Use, uploads: Receiving, asked: MaterialIn) -> MaterialOut:
    """Announce a photo or note; announcing it again gives where it stands.

    What was taken while the caller was a member is taken also when he has left the group since, or it is gone with its
    case, for fourteen days.
    """
    now = services.store.clock()
    taken_ms = min(now, asked.taken_ms + now - asked.sent_ms)
    home = await _home(caller, services, GroupId(asked.group), taken_ms)
    if asked.kind == "photo" and not (asked.media_type and asked.size and asked.sha256):
        raise Refused(Refusal.BAD_MESSAGE, "a photo has media_type, size and sha256")
    if asked.kind == "note" and (asked.media_type or asked.size or asked.sha256 or not asked.note):
        raise Refused(Refusal.BAD_MESSAGE, "a note has text and nothing else")
    incident = await _incident(caller, services, home, asked.incident, taken_ms)
    row = await uploads.announce(_material(caller, services, home, incident, asked))
    return MaterialOut.of(row, await uploads.offset(row))


@router.get("/{material}/upload", **ruled(Act.REPORT, 404))
async def progress(caller: SignedInCaller, uploads: Receiving, material: MaterialId) -> MaterialOut:
    """Where an upload of one's own stands."""
    row = await uploads.own(material, caller.user.id)
    return MaterialOut.of(row, await uploads.offset(row))


@router.patch("/{material}/upload", **ruled(Act.REPORT, 404, 409, 413))
async def take(
    request: Request,
    caller: SignedInCaller,
    uploads: Receiving,
    material: MaterialId,
    upload_offset: Annotated[int, Header(ge=0, le=MAX_BYTES)],
) -> MaterialOut:
    """One chunk, as ``application/offset+octet-stream``; ``Upload-Offset`` says where it belongs.

    With the last one the photo is judged by its bytes: another digest, size or type than announced is refused.
    """
    chunk = await request.body()
    if len(chunk) > CHUNK_BYTES:
        raise Refused(Refusal.TOO_LARGE, f"a chunk has at most {CHUNK_BYTES} bytes")
    row = await uploads.take(material, caller.user.id, upload_offset, chunk)
    return MaterialOut.of(row, await uploads.offset(row))


@router.get("", **ruled(Act.REPLAY))
async def search(caller: SignedInCaller, services: Use, asked: Annotated[MaterialsIn, Query()]) -> MaterialsOut:
    """Photos and notes that the caller may see, the newest first."""
    what = MaterialSearch(
        asked.group,
        asked.incident,
        asked.user,
        asked.kind,
        asked.from_ms,
        asked.until_ms,
        area_of(asked.area) if asked.area else None,
    )
    at, _, key = (asked.after or "").partition(".")
    page = Page(asked.limit, (int(at), key) if asked.after else None)
    async with services.store.reading() as connection:
        rows = await materials.search(connection, scope_of(services.directory, caller.user), what, page)
    following = f"{rows[-1].begun_ms}.{rows[-1].id}" if len(rows) == page.limit else None
    return MaterialsOut(materials=[MaterialOut.of(row, row.size) for row in rows], next=following)


@router.get("/{material}", **ruled(Act.REPLAY, 404))
async def one(caller: SignedInCaller, services: Use, material: MaterialId) -> MaterialOut:
    """One photo or note."""
    row = await _allowed(caller, services, material)
    return MaterialOut.of(row, row.size)


@router.get("/{material}/file", response_class=FileResponse, **ruled(Act.REPLAY, 404))
async def file(caller: SignedInCaller, services: Use, recorded: Recorded, material: MaterialId) -> FileResponse:
    """The picture as it was sent, byte for byte. Each look is audited."""
    row = await _allowed(caller, services, material)
    path = await recorded.listening.kept(row.file)
    _seen(caller, services, row, "original")
    return FileResponse(
        path,
        media_type=row.media_type,
        content_disposition_type="inline",
        headers={"x-content-type-options": "nosniff", "content-security-policy": "sandbox"},
    )


@router.get("/{material}/watermarked", response_class=Response, **ruled(Act.REPLAY, 404))
async def marked(caller: SignedInCaller, services: Use, recorded: Recorded, material: MaterialId) -> Response:
    """The picture with its watermark (水印): who, when, where, and what it is called, as an SVG image."""
    row = await _allowed(caller, services, material)
    path = await recorded.listening.kept(row.file)
    image = await watermarked(path, row, recorded.settings.zone_minutes)
    _seen(caller, services, row, "watermarked")
    headers = {
        "x-content-type-options": "nosniff",
        "content-security-policy": "sandbox; default-src 'none'; img-src data:",
    }
    return Response(image, media_type="image/svg+xml", headers=headers)


async def _home(caller: Caller, services: Services, group: GroupId, taken_ms: int) -> Home:
    """Where it belongs. Refuses who neither has the right now nor had it when it was taken, as the table says now."""
    found = services.directory.group(group)
    if found is not None and may(Act.REPORT, caller.user, found, services.directory) is None:
        return Home(found.id, found.agency, found.unit)
    if has(caller.user, Right.REPORT) and taken_ms >= services.store.clock() - LATE_MS:
        async with services.store.reading() as connection:
            if await membership_periods.was_in(connection, group, caller.user.id, taken_ms):
                home = await membership_periods.home_of(connection, group)
                return home or Home(group, caller.user.agency, caller.user.unit)
    rights.group(services, caller, group, Act.REPORT)
    raise Refused(Refusal.NOT_A_MEMBER)


async def _incident(
    caller: Caller, services: Services, home: Home, asked: str | None, taken_ms: int
) -> IncidentCode | None:
    """The incident of the group's agency that it belongs to.

    A guest may name one of his own agency, which is told of it where the group is tied to it: another agency knows
    nothing of it, or another one by that code. Refuses (not_found) one that is neither the group's nor one that the
    caller works on, or did when it was taken.
    """
    async with services.store.reading() as connection:
        tied = await incidents.of_group(connection, home.group)
        if asked is None:
            return min((code for agency, code in tied if agency == home.agency), default=None)
        code, agency = IncidentCode(asked), caller.user.agency
        own = incidents.group_of(agency, code)
        if (
            (home.agency, code) in tied
            or (agency, code) in tied
            or services.directory.membership(own, caller.user.id) is not None
            or await membership_periods.was_in(connection, own, caller.user.id, taken_ms)
        ):
            return code if (home.agency, code) in tied or agency == home.agency else None
    raise Refused(Refusal.NOT_FOUND, "incident")


def _material(
    caller: Caller, services: Services, home: Home, incident: IncidentCode | None, asked: MaterialIn
) -> Material:
    now = services.store.clock()
    last = services.store.places.of(caller.user.id)
    position = asked.place or (last.position if last is not None else None)
    cell = asked.cell or (last.cell if last is not None else None)
    return Material(
        id=asked.id,
        agency=home.agency,
        kind=Kind(asked.kind),
        group=home.group,
        unit=home.unit,
        user=caller.user.id,
        user_name=caller.user.name,
        device=caller.claims.device,
        incident=incident,
        note=asked.note,
        origin=asked.origin,
        taken_ms=asked.taken_ms,
        clock_offset_ms=now - asked.sent_ms,
        begun_ms=now,
        place=position.model_dump(mode="json", exclude_none=True) if position else None,
        cell=cell.model_dump(mode="json", exclude_none=True) if cell else None,
        media_type=asked.media_type,
        size=asked.size,
        sha256=asked.sha256,
    )


async def _allowed(caller: Caller, services: Services, material: str) -> Any:
    async with services.store.reading() as connection:
        row = await materials.one(connection, scope_of(services.directory, caller.user), material)
        hidden = None if row is not None else await materials.find(connection, material)
    if row is not None:
        return row
    if hidden is not None:
        services.audit(caller.actor, "material.refused", "material", hidden.id, {}, hidden.agency_id)
    raise Refused(Refusal.NOT_FOUND, "material")


def _seen(caller: Caller, services: Services, row: Any, form: str) -> None:
    detail = {"group": row.group_id, "form": form}
    services.audit(caller.actor, "material.open", "material", row.id, detail, row.agency_id)
