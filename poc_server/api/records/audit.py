"""The audit, for those who read it. Nothing here, and nothing anywhere, alters it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator

from groups.model import Group
from groups.policy import Act
from groups.vocabulary import AgencyId, DeviceId, GroupId, UnitId, UserId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Limit, cursor_of, keys_of
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import SignedInCaller, Use
from poc_server.api.shapes import ID_PATTERN, Body, printable
from poc_server.store import Snapshot, audit, audit_pages
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.ids import clean
from signaling.audit_words import DENIED, REFUSED
from signaling.limits import MAX_NAME_CHARS

router = routes_of("audit", "/audit")
Time = Annotated[int | None, Query(ge=0, le=2**53, description="ms since the epoch")]
Word = Annotated[str | None, Query(pattern=r"^[a-z_.]{1,32}$", description="This act, done or refused")]
Whom = Annotated[str, Query(max_length=64, description="Anywhere in the name, badge or account; or pinyin of the name")]
What = Annotated[
    str | None,
    Query(
        min_length=1, max_length=MAX_NAME_CHARS, description="This person, group, account, case or whatever was named"
    ),
    AfterValidator(lambda text: text if text is None else printable(text)),
]
MAX_SEQ_DIGITS = 18


class EntryOut(Body):
    """One thing done. ``seal`` is the SHA-256 over the former seal and this entry, in hexadecimal.

    ``action`` without the ``.refused`` behind it; ``refused``: it was tried and not done, ``reason`` the code of why.
    ``names``: id → what a person, unit, group, device or agency named in the entry is called now, while there is one.
    """

    seq: int
    at_ms: int
    actor: str | None
    actor_name: str | None
    action: str
    refused: bool
    reason: str | None
    target_kind: str
    target: str
    target_name: str | None
    detail: dict[str, Any]
    names: dict[str, str]
    address: str
    seal: str


class AuditPage(Body):
    """The newest entries first. ``next`` goes on, also after a page with few entries, or none.

    ``searched_ms``: until when one question looked back, where older entries are still to be looked at; else null.
    """

    items: list[EntryOut]
    next: str | None = None
    searched_ms: int | None = None


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
    target: What = None,
    who: Whom = "",
    about: Whom = "",
    refused: bool | None = None,
    from_ms: Time = None,
    until_ms: Time = None,
    limit: Limit = 100,
    after: Cursor = "",
) -> AuditPage:
    """The audit of one's own agency. Each question is audited, too: a page asks when one has ended typing."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.READ_AUDIT, agency)
    asked = AuditFilter(
        agency.id,
        action=action,
        actor=None if actor is None else UserId(actor),
        target=target,
        who=clean(who).strip(),
        about=clean(about).strip(),
        refused=refused,
        from_ms=from_ms,
        until_ms=until_ms,
    )
    async with services.store.reading() as connection:
        found = await audit_pages.page(connection, asked, before_seq=_before(after), limit=limit)
    services.audit(caller.actor, "audit.read", "audit", agency.id, _told(asked))
    snapshot = services.directory.snapshot
    return AuditPage(
        items=[_entry(snapshot, agency.id, row) for row in found.rows],
        next=None if found.before_seq is None else cursor_of(str(found.before_seq)),
        searched_ms=found.searched_ms,
    )


@router.get("/check", **ruled(Act.READ_AUDIT))
async def check_audit(caller: SignedInCaller, services: Use) -> CheckOut:
    """Read the whole audit and check its seals."""
    rights.allow(services, caller, Act.READ_AUDIT, rights.own_agency(services, caller))
    async with services.store.database.snapshot() as connection:
        found = await audit.verify(connection)
    return CheckOut(entries=found.entries, whole=found.broken_at is None, broken_at=found.broken_at)


def _before(after: str) -> int | None:
    keys = keys_of(after, 1)
    if keys is None:
        return None
    digits = keys[0]
    # Another's cursor holds something else: it begins anew rather than fail.
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= MAX_SEQ_DIGITS else None


def _told(asked: AuditFilter) -> dict[str, Any]:
    """What was asked for, without what was not."""
    told = {field: getattr(asked, field) for field in AuditFilter.__dataclass_fields__ if field != "agency"}
    return {field: value for field, value in told.items() if value not in (None, "")}


def _entry(snapshot: Snapshot, agency: AgencyId, row: Any) -> EntryOut:
    detail: dict[str, Any] = json.loads(row.detail)
    reason = detail.get("refused", detail.get("code"))
    denied = row.action == REFUSED or row.action.endswith(DENIED)
    # What was refused for want of a right names its act in the detail; to a reader it is that act that was refused.
    action = str(detail.get("act", REFUSED)) if row.action == REFUSED else row.action.removesuffix(DENIED)
    mentioned = {row.actor_id, row.target_id, *_texts(detail)} - {None}
    names = {each: name for each in sorted(mentioned) if (name := _name(snapshot, agency, each)) is not None}
    return EntryOut(
        seq=row.seq,
        at_ms=row.at_ms,
        actor=row.actor_id,
        actor_name=names.get(row.actor_id),
        action=action,
        refused=denied,
        reason=str(reason) if denied and isinstance(reason, str) else None,
        target_kind=row.target_kind,
        target=row.target_id,
        target_name=names.get(row.target_id),
        detail=detail,
        names=names,
        address=row.address,
        seal=bytes(row.hash).hex(),
    )


def _texts(value: Any) -> Iterator[str]:
    """Every text anywhere in a detail."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


def _name(snapshot: Snapshot, agency: AgencyId, name: str) -> str | None:
    """What is called so, in one's own agency or met in a shared group; and what other agencies are called.

    A guessed id of a stranger stands in the audit when it was tried: it must not come back with his name.
    """
    found = (
        snapshot.units.get(UnitId(name)) or snapshot.devices.get(DeviceId(name)) or snapshot.shifts.get(name)
    )  # each of one agency alone
    if found is not None:
        return found.name if found.agency == agency else None
    user = snapshot.users.get(UserId(name))
    if user is not None:
        met = user.agency == agency or any(
            (group := snapshot.groups.get(key)) is not None and _shared(group, agency)
            for key in snapshot.groups_by_user.get(user.id, frozenset())
        )
        return user.name if met else None
    group = snapshot.groups.get(GroupId(name))
    if group is not None:
        return group.name if _shared(group, agency) else None
    other = snapshot.agencies.get(AgencyId(name))
    return None if other is None else other.name


def _shared(group: Group, agency: AgencyId) -> bool:
    return agency == group.agency or agency in group.shared_with
