"""Devices and live sessions: listed, renamed, disabled at a distance (遥毙), ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query, Response

from groups.policy import Act
from groups.vocabulary import Refusal, UserId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Expected, Limit, Search, following, keys_of, ms_of, tag
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import ID_PATTERN, Body, Name, PathId
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Device
from poc_server.store.city import sessions, without_sql
from poc_server.store.shutting_out import AT_ONCE_S

router = routes_of("devices", "/devices")
live = routes_of("sessions")
OfUser = Annotated[str | None, Query(pattern=ID_PATTERN, description="Of this person only")]


class DeviceOut(Body):
    """A device that enrolled. ``last_ms``: when it was last seen, ``version``: for ``If-Match``.

    While the database is away neither is known, and ``version`` is null.
    """

    id: str
    name: str
    user: str | None
    user_name: str | None
    enabled: bool
    last_ms: int | None
    version: int | None


class DevicesPage(Body):
    """One page of devices."""

    items: list[DeviceOut]
    total: int
    next: str | None = None


class DeviceIn(Body):
    """What an administrator may change."""

    name: Name


class SessionOut(Body):
    """A session that may still refresh. ``own``: the one that asks."""

    id: str
    user: str
    user_name: str
    device: str | None
    device_name: str | None
    way: str
    address: str
    created_ms: int
    seen_ms: int
    expires_ms: int
    own: bool


class SessionsPage(Body):
    """One page of sessions."""

    items: list[SessionOut]
    total: int
    next: str | None = None


@router.get("", **ruled(Act.SEE_DEVICES))
async def list_devices(
    caller: SignedInCaller,
    services: Use,
    user: OfUser = None,
    q: Search = "",
    limit: Limit = 50,
    after: Cursor = "",
) -> DevicesPage:
    """Devices of one's own agency, by pinyin of whose they are.

    Also while the database is away, for one may have to be disabled.
    """
    rights.allow(services, caller, Act.SEE_DEVICES, rights.own_agency(services, caller))
    of = None if user is None else UserId(user)
    text = q.replace("\x00", "")
    keys = keys_of(after, 2)
    begin = None if keys is None else (keys[0], keys[1])
    agency = caller.user.agency
    found: list[Any]
    order: Callable[[Any], tuple[str, str]] = _by_owner
    try:
        async with services.store.reading() as connection:
            found, total = await sessions.devices_page(connection, agency, limit, user=of, text=text, after=begin)
        items = [_out(services, row) for row in found]
    except StoreUnavailable:
        snapshot = services.directory.snapshot
        found, total = await without_sql.devices_page(snapshot, agency, limit, user=of, text=text, after=begin)
        items, order = [_known(services, device) for device in found], without_sql.by_owner(snapshot)
    return DevicesPage(items=items, total=total, next=following(found, limit, order))


@router.get("/{device}", **ruled(Act.SEE_DEVICES, 404))
async def get_device(device: PathId, caller: SignedInCaller, services: Use, response: Response) -> DeviceOut:
    """One device of one's own agency."""
    rights.allow(services, caller, Act.SEE_DEVICES, rights.own_agency(services, caller))
    return await _shown(services, rights.device(services, caller, device, None), response)


@router.put("/{device}", **ruled(Act.ADMINISTER_DEVICES, 404, 412, 428))
async def rename_device(
    device: PathId, body: DeviceIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> DeviceOut:
    """Give a device another name."""
    rights.allow(services, caller, Act.ADMINISTER_DEVICES, rights.own_agency(services, caller))
    found = rights.device(services, caller, device, None)
    async with services.store.change(caller.actor) as change:
        await sessions.set_device(change, found.id, name=body.name, expected=expected)
    return await _shown(services, found, response)


# A phone in wrong hands is out whatever else was changed meanwhile: these two are no edits, and ask for no version.
@router.post("/{device}/disable", **ruled(Act.DISABLE_DEVICE, 404, done_at_once=DeviceOut))
async def disable_device(device: PathId, caller: SignedInCaller, services: Use, response: Response) -> DeviceOut:
    """Disable a device at a distance (遥毙): its sessions end within a second and it cannot sign in again.

    202: done, and the database, which is away, will learn it.
    """
    found = rights.device(services, caller, device, Act.DISABLE_DEVICE)
    if await services.store.shutting_out.disable(caller.actor, "device", found.id):
        return await _shown(services, found, response)
    response.status_code = 202
    return _known(services, replace(found, enabled=False))


@router.post("/{device}/enable", **ruled(Act.DISABLE_DEVICE, 404))
async def enable_device(device: PathId, caller: SignedInCaller, services: Use, response: Response) -> DeviceOut:
    """Let a disabled device be used again; it must enrol anew, for its session has ended."""
    found = rights.device(services, caller, device, Act.DISABLE_DEVICE)
    async with services.store.change(caller.actor) as change:
        await sessions.set_device(change, found.id, enabled=True)
    return await _shown(services, found, response)


@live.get("/sessions", **ruled(Act.END_SESSION))
async def list_sessions(
    caller: SignedInCaller,
    services: Use,
    user: OfUser = None,
    q: Search = "",
    limit: Limit = 50,
    after: Cursor = "",
) -> SessionsPage:
    """Live sessions of one's own agency, the newest first."""
    rights.allow(services, caller, Act.END_SESSION, caller.user)
    of = None if user is None else UserId(user)
    return await _sessions(services, caller, of, limit, after, q.replace("\x00", ""))


@live.delete("/sessions/{session}", status_code=204, **ruled(Act.END_SESSION, 404))
async def end_session(session: PathId, caller: SignedInCaller, services: Use) -> Response:
    """End a session; its connections close within a second.

    While the database is away that of a phone which is connected; of any other it is not known whose it is.
    """
    rights.allow(services, caller, Act.END_SESSION, caller.user)
    await _end(services, caller, session, own=False)
    return Response(status_code=204)


@live.get("/me/sessions", responses=documented(401, 403, 422, 503))
async def my_sessions(caller: SignedInCaller, services: Use, limit: Limit = 50, after: Cursor = "") -> SessionsPage:
    """Where I am signed in, the newest first."""
    return await _sessions(services, caller, caller.user.id, limit, after)


@live.delete("/me/sessions/{session}", status_code=204, responses=documented(401, 403, 404, 422, 503))
async def end_my_session(session: PathId, caller: SignedInCaller, services: Use) -> Response:
    """Sign myself out elsewhere."""
    await _end(services, caller, session, own=True)
    return Response(status_code=204)


async def _sessions(
    services: Use, caller: SignedInCaller, user: UserId | None, limit: int, after: str, text: str = ""
) -> SessionsPage:
    keys = keys_of(after, 2)
    async with services.store.reading() as connection:
        rows, total = await sessions.live_sessions(
            connection,
            caller.user.agency,
            services.store.clock(),
            limit,
            user=user,
            text=text,
            after=None if keys is None else (ms_of(keys[0]), keys[1]),
        )
    shown = [_session(row, own=row.id == caller.claims.session) for row in rows]
    begun = following(rows, limit, lambda row: (str(row.created_ms), row.id))
    return SessionsPage(items=shown, total=total, next=begun)


def _session(row: Any, *, own: bool) -> SessionOut:
    return SessionOut(
        id=row.id,
        user=row.user_id,
        user_name=row.user_name,
        device=row.device_id,
        device_name=row.device_name,
        way=row.way,
        address=row.address,
        created_ms=row.created_ms,
        seen_ms=row.seen_ms,
        expires_ms=row.expires_ms,
        own=own,
    )


async def _end(services: Use, caller: SignedInCaller, session: str, *, own: bool) -> None:
    of = await _whose(services, session)
    user = None if of is None else services.directory.user(of)
    mine = user is not None and (user.id == caller.user.id if own else user.agency == caller.user.agency)
    if user is None or not mine:
        raise Refused(Refusal.NOT_FOUND, "session")
    if not own:
        rights.allow(services, caller, Act.END_SESSION, user)
    await services.auth.end_session(caller.actor, session, "signed_out" if own else "ended_by_administrator")


async def _whose(services: Use, session: str) -> UserId | None:
    try:
        async with asyncio.timeout(AT_ONCE_S), services.store.reading() as connection:
            row = await sessions.session_row(connection, session)
    except (StoreUnavailable, TimeoutError):
        connected = services.connected(session)
        if connected is None:
            raise StoreUnavailable("whose session it is") from None
        return connected
    return None if row is None else UserId(row.user_id)


async def _shown(services: Use, device: Device, response: Response) -> DeviceOut:
    async with services.store.reading() as connection:
        row = await sessions.device_row(connection, device.agency, device.id)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "device")
    tag(response, row.version)
    return _out(services, row)


def _known(services: Use, device: Device) -> DeviceOut:
    """What of it is known without the database."""
    owner = None if device.user is None else services.directory.user(device.user)
    return DeviceOut(
        id=device.id,
        name=device.name,
        user=device.user,
        user_name=None if owner is None else owner.name,
        enabled=device.enabled,
        last_ms=None,
        version=None,
    )


def _by_owner(row: Any) -> tuple[str, str]:
    return row.owner, row.id


def _out(services: Use, row: Any) -> DeviceOut:
    return DeviceOut(
        id=row.id,
        name=row.name,
        user=row.user_id,
        user_name=row.user_name,
        enabled=row.enabled and row.id not in services.directory.snapshot.shut_out,
        last_ms=row.last_ms,
        version=row.version,
    )
