"""The audit as it is read: page by page, by who did it, what was done, to whom, when, and whether it was refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.sql.lookup import holds, person_holds
from signaling.audit_words import DENIED, REFUSED

LOOK = 50_000
"""Entries that one question looks through: what stands further back is asked for with the next page."""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which entries to show; None and "" ask for nothing. Times in ms since the epoch, ``until_ms`` not included.

    ``who`` and ``about`` look in the names of actor and target as they are now; people also by badge, sign-in name and
    pinyin. An ``action`` means also its refusals.
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


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, the newest first.

    Attributes:
        before_seq: where the next page begins; None: there is no more.
        searched_ms: the time of the oldest entry that was looked at, where older ones were not; else None.
    """

    rows: list[Row[Any]]
    before_seq: int | None = None
    searched_ms: int | None = None


async def page(
    connection: AsyncConnection,
    asked: AuditFilter,
    *,
    before_seq: int | None = None,
    limit: int = 100,
    look: int = LOOK,
) -> Page:
    """The newest entries first, those before ``before_seq``: at most ``limit``, among the ``look`` newest of the time.

    Texts are looked for in names and details, which no index helps with; so that a rare word does not read half a year
    of entries at once, a page may have fewer entries than ``limit``, or none, and yet not be the last.
    """
    time = _time(asked)
    if before_seq is not None:
        time.append(t.audit.c.seq < before_seq)
    newest = select(t.audit.c.seq, t.audit.c.at_ms).where(*time).order_by(t.audit.c.seq.desc())
    # Of those that are looked at the last, and behind it the first that is not.
    edge = (await connection.execute(newest.offset(look - 1).limit(2))).all()
    oldest = edge[0] if len(edge) == 2 else None
    if oldest is not None:
        time.append(t.audit.c.seq >= oldest.seq)
    query = select(t.audit).where(*time, *_conditions(asked)).order_by(t.audit.c.seq.desc()).limit(limit)
    rows = list((await connection.execute(query)).all())
    if len(rows) == limit:
        return Page(rows, rows[-1].seq)
    return Page(rows) if oldest is None else Page(rows, oldest.seq, oldest.at_ms)


def _time(asked: AuditFilter) -> list[ColumnElement[bool]]:
    """Whose, and of when: what indexes answer."""
    found: list[ColumnElement[bool]] = [t.audit.c.agency_id == asked.agency]
    if asked.from_ms is not None:
        found.append(t.audit.c.at_ms >= asked.from_ms)
    if asked.until_ms is not None:
        found.append(t.audit.c.at_ms < asked.until_ms)
    return found


def _conditions(asked: AuditFilter) -> list[ColumnElement[bool]]:
    entry = t.audit.c
    found: list[ColumnElement[bool]] = []
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
