"""What is kept for how long, and the deletion of what is over its time.

Talk bursts are not deleted here: their files and evidence go with them (`poc_server.recording.keeping.deletion`).
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Table, delete, func, select, tuple_

from poc_server.store import audit
from poc_server.store import tables as t
from poc_server.store.settings import RetentionSettings
from poc_server.store.sql.engine import Database

DAY_MS = 86_400_000
SLICE = 2_000
"""Rows deleted in one transaction, so that others can write in between."""
CHANGES_KEPT = 20_000
"""Directory changes a node may have missed and still patch; one that missed more loads everything."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """Rows that went."""

    places: int
    texts: int
    calls: int
    sessions: int
    enrolments: int
    changes: int
    audit: int


async def prune(database: Database, settings: RetentionSettings, now_ms: int) -> Pruned:
    """Delete what is over its time. May be run by any node at any time; raises `StoreUnavailable`."""
    log_limit = now_ms - settings.audit_days * DAY_MS
    async with database.reading() as connection:
        newest = int(await connection.scalar(select(func.max(t.directory_change.c.version))) or 0)
    places = await _delete(database, t.place, t.place.c.at_ms < now_ms - settings.place_days * DAY_MS)
    texts = await _delete(database, t.text, t.text.c.at_ms < now_ms - settings.text_days * DAY_MS)
    written = select(t.text.c.group_id).where(t.text.c.group_id.is_not(None))
    await _delete(database, t.text_reader, t.text_reader.c.group_id.not_in(written))
    await _delete(database, t.passing_group, t.passing_group.c.id.not_in(written))
    said = now_ms - settings.burst_days * DAY_MS
    calls = await _delete(database, t.call, (t.call.c.started_ms < said) & t.call.c.incident.is_(None))
    over = (t.session.c.ended_ms < log_limit) | (t.session.c.expires_ms < log_limit)
    sessions = await _delete(database, t.session, over)
    enrolments = await _delete(database, t.enrolment, t.enrolment.c.expires_ms < log_limit)
    changes = await _delete(database, t.directory_change, t.directory_change.c.version <= newest - CHANGES_KEPT)
    entries = await _prune_audit(database, log_limit)
    return Pruned(places, texts, calls, sessions, enrolments, changes, entries)


async def _delete(database: Database, table: Table, which: ColumnElement[bool]) -> int:
    key = tuple_(*table.primary_key.columns)
    gone = 0
    while True:
        part = select(*table.primary_key.columns).where(which).limit(SLICE)
        async with database.writing() as connection:
            done = int((await connection.execute(delete(table).where(key.in_(part)))).rowcount)
        gone += done
        if done < SLICE:
            return gone


async def _prune_audit(database: Database, before_ms: int) -> int:
    gone = 0
    while True:
        async with database.writing() as connection:
            done = await audit.prune(connection, before_ms, SLICE)
        gone += done
        if done < SLICE:
            return gone
