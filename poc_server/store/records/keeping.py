"""How long recordings stay: rules per group and incident, legal holds, and the burial of what is over its time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, Refusal
from poc_server.ground.chain import Kind, canonical
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.ids import clean, new_id
from poc_server.store.records import evidence
from poc_server.store.sql.statements import insert_new, upsert

MAX_HOLDS = 10_000
"""Live holds of one agency; more are refused."""


class HoldKind(StrEnum):
    """What a legal hold keeps."""

    GROUP = "group"
    INCIDENT = "incident"
    USER = "user"
    RECORDING = "recording"


@dataclass(frozen=True, slots=True)
class Hold:
    """A legal hold about to begin. Times in ms since the epoch bound what was said; None is no bound."""

    kind: HoldKind
    target: str
    reason: str
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """How many days what was said in a group, or for an incident, is kept; None for ever."""

    kind: HoldKind
    target: str
    days: int | None


async def set_rule(change: Change, agency: AgencyId, rule: Rule) -> None:
    """Set how long something is kept; replaces what was set before."""
    if rule.kind not in (HoldKind.GROUP, HoldKind.INCIDENT):
        raise Refused(Refusal.BAD_MESSAGE, "kind")
    row = {
        "agency_id": agency,
        "kind": rule.kind.value,
        "target": rule.target,
        "days": rule.days,
        "set_by": change.actor.user,
        "set_ms": change.at_ms,
        "version": change.version,
    }
    keys = ("agency_id", "kind", "target")
    await upsert(change.connection, t.retention_rule, keys, [row], ("days", "set_by", "set_ms", "version"))
    change.record("retention.rule", rule.kind.value, rule.target, {"days": rule.days}, agency)


async def drop_rule(change: Change, agency: AgencyId, kind: HoldKind, target: str, expected: int | None = None) -> None:
    """Let the default hold again. Refuses: not_found where no rule is; stale when its version is not ``expected``."""
    row = await rule_row(change.connection, agency, kind, target)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "rule")
    if expected is not None and row.version != expected:
        raise Refused(Refusal.STALE, "rule")
    await change.connection.execute(delete(t.retention_rule).where(_rule(agency, kind, target)))
    change.record("retention.default", kind.value, target, {}, agency)


async def rule_row(connection: AsyncConnection, agency: AgencyId, kind: HoldKind, target: str) -> Row[Any] | None:
    """The row of a rule; None where the default holds."""
    query = select(t.retention_rule).where(_rule(agency, kind, target))
    return (await connection.execute(query)).one_or_none()


def _rule(agency: AgencyId, kind: HoldKind, target: str) -> ColumnElement[bool]:
    c = t.retention_rule.c
    return and_(c.agency_id == agency, c.kind == kind.value, c.target == target)


async def rules(connection: AsyncConnection, agency: AgencyId | None = None) -> list[Row[Any]]:
    """The rules of an agency, or of all."""
    query = select(t.retention_rule).order_by(t.retention_rule.c.kind, t.retention_rule.c.target)
    if agency is not None:
        query = query.where(t.retention_rule.c.agency_id == agency)
    return list((await connection.execute(query)).all())


async def begin_hold(change: Change, agency: AgencyId, hold: Hold) -> str:
    """Keep what the hold names until it is released, whatever the rules say; returns its id."""
    live = await holds(change.connection, agency)
    if len(live) >= MAX_HOLDS:
        raise Refused(Refusal.NO_RESOURCES, f"{MAX_HOLDS} holds")
    made = new_id("ho")
    values = {
        "id": made,
        "agency_id": agency,
        "kind": hold.kind.value,
        "target": hold.target,
        "from_ms": hold.from_ms,
        "until_ms": hold.until_ms,
        "reason": clean(hold.reason),
        "begun_by": change.actor.user,
        "begun_ms": change.at_ms,
    }
    await change.connection.execute(insert(t.legal_hold), [values])
    change.record("hold.begin", hold.kind.value, hold.target, {"hold": made, "reason": hold.reason}, agency)
    return made


async def end_hold(change: Change, agency: AgencyId, hold: str, reason: str) -> None:
    """Release a hold. Refuses (not_found) one that is none, or was released."""
    h = t.legal_hold.c
    which = and_(h.id == hold, h.agency_id == agency, h.ended_ms.is_(None))
    values = {"ended_ms": change.at_ms, "ended_by": change.actor.user}
    if not (await change.connection.execute(update(t.legal_hold).where(which).values(**values))).rowcount:
        raise Refused(Refusal.NOT_FOUND, "hold")
    change.record("hold.end", "hold", hold, {"reason": reason}, agency)


async def holds(connection: AsyncConnection, agency: AgencyId | None = None) -> list[Row[Any]]:
    """The live holds of an agency, or of all."""
    query = select(t.legal_hold).where(t.legal_hold.c.ended_ms.is_(None)).order_by(t.legal_hold.c.begun_ms)
    if agency is not None:
        query = query.where(t.legal_hold.c.agency_id == agency)
    return list((await connection.execute(query)).all())


async def older_than(
    connection: AsyncConnection, before_ms: int, after: tuple[int, str] | None, limit: int
) -> list[Row[Any]]:
    """Recordings that ended before then, the oldest first, after the (end, key) of the last one seen."""
    b = t.burst.c
    query = select(t.burst).where(b.ended_ms < before_ms).order_by(b.ended_ms, b.key).limit(limit)
    if after is not None:
        query = query.where(or_(b.ended_ms > after[0], and_(b.ended_ms == after[0], b.key > after[1])))
    return list((await connection.execute(query)).all())


async def materials_older_than(
    connection: AsyncConnection, before_ms: int, after: tuple[int, str] | None, limit: int
) -> list[Row[Any]]:
    """Photos and notes that were kept before then, in the columns of recordings that deletion looks at."""
    m = t.material.c
    query = _materials().where(m.kept_ms < before_ms)
    if after is not None:
        query = query.where(or_(m.kept_ms > after[0], and_(m.kept_ms == after[0], m.id > after[1])))
    return list((await connection.execute(query.order_by(m.kept_ms, m.id).limit(limit))).all())


async def material(connection: AsyncConnection, key: str) -> Row[Any] | None:
    """One photo or note that is kept, in the same columns."""
    m = t.material.c
    query = _materials().where(m.id == key, m.kept_ms.is_not(None))
    found: Row[Any] | None = (await connection.execute(query)).one_or_none()
    return found


def _materials() -> Select[Any]:
    m = t.material.c
    return select(
        m.id.label("key"),
        m.agency_id,
        m.group_id,
        m.incident,
        m.user_id,
        m.begun_ms.label("started_ms"),
        m.kept_ms.label("ended_ms"),
        m.sha256,
        m.file,
    )


@dataclass(frozen=True, slots=True)
class Burial:
    """A recording, photo or note to be deleted, and why. ``by`` None: by rule."""

    row: Row[Any]
    reason: str
    by: str | None = None


async def bury(connection: AsyncConnection, burials: Sequence[Burial], at_ms: int, zone_minutes: int) -> None:
    """Delete them: a tombstone in the chain, their content gone from it, their files named for removal."""
    items = [
        evidence.Item(each.row.group_id, Kind.TOMBSTONE, f"x{each.row.key}", _stone(each, at_ms), zone_minutes)
        for each in burials
    ]
    await evidence.append(connection, items, at_ms)
    keys = [each.row.key for each in burials]
    bare = t.evidence.c.subject.in_(keys) & t.evidence.c.content.is_not(None)
    await connection.execute(update(t.evidence).where(bare).values(content=None))
    files = [{"file": each.row.file, "buried_ms": at_ms} for each in burials if each.row.file]
    if files:
        await insert_new(connection, t.file_removal, files)
    await connection.execute(delete(t.burst_hearer).where(t.burst_hearer.c.key.in_(keys)))
    await connection.execute(delete(t.burst).where(t.burst.c.key.in_(keys)))
    await connection.execute(delete(t.material).where(t.material.c.id.in_(keys)))


async def files_to_remove(connection: AsyncConnection, after: tuple[int, str] | None, limit: int) -> Sequence[Row[Any]]:
    """Files of buried recordings that are still there, and when these were buried; those ``after`` one."""
    r = t.file_removal.c
    query = select(t.file_removal).order_by(r.buried_ms, r.file).limit(limit)
    if after is not None:
        query = query.where(or_(r.buried_ms > after[0], and_(r.buried_ms == after[0], r.file > after[1])))
    return (await connection.execute(query)).all()


async def file_removed(connection: AsyncConnection, file: str) -> None:
    """That file is gone."""
    await connection.execute(delete(t.file_removal).where(t.file_removal.c.file == file))


def _stone(burial: Burial, at_ms: int) -> str:
    row = burial.row
    return canonical(
        {
            "v": 1,
            "subject": row.key,
            "group": row.group_id,
            "started_ms": row.started_ms,
            "ended_ms": row.ended_ms,
            "sha256": row.sha256,
            "reason": burial.reason,
            "by": burial.by,
            "at_ms": at_ms,
        }
    )
