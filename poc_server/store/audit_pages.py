"""The audit as it is read: page by page, by who did it, what was done, to whom, when, and whether it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.lookup import holds, person_holds
from signaling.audit_words import DENIED, REFUSED


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to show; None and "" ask for nothing. Times in ms since the epoch, ``until_ms`` not included.

    ``who`` and ``about`` look in the names of actor and target as they are now; people also by badge, sign-in name and
    pinyin initials. An ``action`` means also its refusals.
    """

    agency: AgencyId
    action: str | None = None
    actor: UserId | None = None
    target: str | None = None
    who: str = ""
    about: str = ""
    refused: bool | None = None
    from_ms: int | None = None
    until_ms: int | None = None


async def page(
    connection: AsyncConnection, asked: AuditFilter, *, before_seq: int | None = None, limit: int = 100
) -> list[Row[Any]]:
    """The newest entries first, those before ``before_seq``."""
    query = select(t.audit).where(*_conditions(asked)).order_by(t.audit.c.seq.desc()).limit(limit)
    if before_seq is not None:
        query = query.where(t.audit.c.seq < before_seq)
    return list((await connection.execute(query)).all())


def _conditions(asked: AuditFilter) -> list[ColumnElement[bool]]:
    entry = t.audit.c
    found: list[ColumnElement[bool]] = [entry.agency_id == asked.agency]
    if asked.action is not None:
        # What was refused for want of a right names its act in the detail, which is canonical JSON.
        named = (entry.action == REFUSED) & entry.detail.contains(f'"act":"{asked.action}"', autoescape=True)
        found.append(or_(entry.action.in_((asked.action, asked.action + DENIED)), named))
    if asked.actor is not None:
        found.append(entry.actor_id == asked.actor)
    if asked.target is not None:
        found.append(entry.target_id == asked.target)
    if asked.who:
        found.append(entry.actor_id.in_(_people(asked.agency, asked.who)))
    if asked.about:
        found.append(_about(asked.agency, asked.about))
    if asked.refused is not None:
        tried = or_(entry.action == REFUSED, entry.action.endswith(DENIED, autoescape=True))
        found.append(tried if asked.refused else ~tried)
    if asked.from_ms is not None:
        found.append(entry.at_ms >= asked.from_ms)
    if asked.until_ms is not None:
        found.append(entry.at_ms < asked.until_ms)
    return found


def _people(agency: AgencyId, text: str) -> Select[Any]:
    return select(t.user.c.id).where(t.user.c.agency_id == agency, person_holds(text))


def _about(agency: AgencyId, text: str) -> ColumnElement[bool]:
    """Of things that have no name, or none any more, what the entry itself says."""
    named = [
        t.audit.c.target_id.in_(select(table.c.id).where(table.c.agency_id == agency, holds(table.c.name, text)))
        for table in (t.unit, t.group, t.device, t.shift)
    ]
    people = t.audit.c.target_id.in_(_people(agency, text))
    return or_(people, *named, holds(t.audit.c.target_id, text), holds(t.audit.c.detail, text))
