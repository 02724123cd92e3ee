"""The audit, for those who read it. Nothing here, and nothing anywhere, alters it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query

from groups.model import Group, Unit, User
from groups.policy import Act
from groups.vocabulary import DeviceId, GroupId, UnitId, UserId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Limit, cursor_of, keys_of
from poc_server.api.rights import ruled
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import ID_PATTERN, Body
from poc_server.store import Device, audit
from poc_server.store.ids import now_ms

router = APIRouter(prefix="/audit", tags=["audit"])
Time = Annotated[int | None, Query(ge=0, le=2**53, description="ms since the epoch")]
Word = Annotated[str | None, Query(pattern=r"^[a-z_.]{1,32}$")]
MAX_SEQ_DIGITS = 18


class EntryOut(Body):
    """One thing done. ``seal`` is the SHA-256 over the former seal and this entry, in hexadecimal.

    ``target_name``: what a person, unit, group or device is called now, while there is such a thing.
    """

    seq: int
    at_ms: int
    actor: str | None
    actor_name: str | None
    action: str
    target_kind: str
    target: str
    target_name: str | None
    detail: dict[str, Any]
    address: str
    seal: str


class AuditPage(Body):
    """The newest entries first."""

    items: list[EntryOut]
    next: str | None = None


class CheckOut(Body):
    """Whether every seal fits; ``broken_at`` is the place of the first that does not."""

    entries: int
    whole: bool
    broken_at: int | None


@router.get("", **ruled(Act.READ_AUDIT))
async def read_audit(
    caller: SignedInCaller,
    services: Use,
    action: Word = None,
    actor: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    target: Annotated[str | None, Query(pattern=ID_PATTERN)] = None,
    from_ms: Time = None,
    until_ms: Time = None,
    limit: Limit = 100,
    after: Cursor = "",
) -> AuditPage:
    """The audit of one's own agency. Reading it is audited, too."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.READ_AUDIT, agency)
    before = _before(after)
    async with services.store.reading() as connection:
        rows = await audit.page(
            connection,
            agency=agency.id,
            before_seq=before,
            limit=limit,
            action=action,
            actor=None if actor is None else UserId(actor),
            target=target,
            from_ms=from_ms,
            until_ms=until_ms,
        )
    asked = {"action": action, "actor": actor, "target": target, "from_ms": from_ms, "until_ms": until_ms}
    told = {key: value for key, value in asked.items() if value is not None}
    services.store.journal.audit(audit.entry(caller.actor, now_ms(), "audit.read", "audit", agency.id, told))
    following = cursor_of(str(rows[-1].seq)) if len(rows) == limit else None
    return AuditPage(items=[_entry(services, row) for row in rows], next=following)


@router.get("/check", **ruled(Act.READ_AUDIT))
async def check_audit(caller: SignedInCaller, services: Use) -> CheckOut:
    """Read the whole audit and check its seals."""
    rights.allow(services, caller, Act.READ_AUDIT, rights.own_agency(services, caller))
    async with services.store.reading() as connection:
        found = await audit.verify(connection)
    return CheckOut(entries=found.entries, whole=found.broken_at is None, broken_at=found.broken_at)


def _before(after: str) -> int | None:
    keys = keys_of(after, 1)
    if keys is None:
        return None
    digits = keys[0]
    # Another's cursor holds something else: it begins anew rather than fail.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MAX_SEQ_DIGITS else None


def _entry(services: Use, row: Any) -> EntryOut:
    actor = None if row.actor_id is None else services.directory.user(row.actor_id)
    return EntryOut(
        seq=row.seq,
        at_ms=row.at_ms,
        actor=row.actor_id,
        actor_name=None if actor is None else actor.name,
        action=row.action,
        target_kind=row.target_kind,
        target=row.target_id,
        target_name=_name(services, row.target_kind, row.target_id),
        detail=json.loads(row.detail),
        address=row.address,
        seal=bytes(row.hash).hex(),
    )


def _name(services: Use, kind: str, target: str) -> str | None:
    directory = services.directory
    match kind:
        case "user":
            found: User | Unit | Group | Device | None = directory.user(UserId(target))
        case "unit":
            found = directory.unit(UnitId(target))
        case "group":
            found = directory.group(GroupId(target))
        case "device":
            found = directory.device(DeviceId(target))
        case _:
            found = None
    return None if found is None else found.name
