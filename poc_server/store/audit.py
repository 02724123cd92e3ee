"""The audit: rows that are only ever added, each sealed to the one before by a hash.

No route and no role alters it; triggers in the database refuse updates, and deletion before the legal time.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.statements import SLICE, each_row, in_parts

MAX_DETAIL_CHARS = 8_000


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: a user of an agency from an address; all None and "" for the system itself."""

    user: UserId | None = None
    agency: AgencyId | None = None
    address: str = ""


SYSTEM = Actor()


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing done. ``detail`` is canonical JSON text, so that its hash is the same on every database."""

    id: str
    at_ms: int
    agency: AgencyId | None
    actor: UserId | None
    action: str
    target_kind: str
    target: str
    detail: str
    address: str


def entry(
    actor: Actor,
    at_ms: int,
    action: str,
    target_kind: str,
    target: str,
    detail: Mapping[str, Any] | None = None,
    agency: AgencyId | None = None,
) -> AuditEntry:
    """Make an entry. ``agency``: whose audit it belongs to, when not the actor's own. Never pass a secret."""
    text = json.dumps(detail or {}, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    if len(text) > MAX_DETAIL_CHARS:
        text = json.dumps({"shortened": clean(text[: MAX_DETAIL_CHARS // 2])}, ensure_ascii=False)
    return AuditEntry(
        id=new_id("a"),
        at_ms=at_ms,
        agency=agency or actor.agency,
        actor=actor.user,
        action=action,
        target_kind=target_kind,
        target=clean(target)[:128],
        detail=clean(text),
        address=clean(actor.address)[:64],
    )


async def append(connection: AsyncConnection, entries: Sequence[AuditEntry]) -> None:
    """Add entries in order. An entry whose id is there already is passed over (a journal may be replayed)."""
    if not entries:
        return
    chain = (await connection.execute(select(t.audit_chain).with_for_update())).one()
    seq, head = int(chain.seq), bytes(chain.hash)
    for part in in_parts(entries, SLICE):
        ids = select(t.audit.c.id).where(t.audit.c.id.in_([each.id for each in part]))
        there = set((await connection.execute(ids)).scalars())
        rows = []
        for each in part:
            if each.id not in there:
                there.add(each.id)
                seq += 1
                head = seal(head, seq, each)
                rows.append(_row(seq, head, each))
        if rows:
            await connection.execute(insert(t.audit), rows)
        await asyncio.sleep(0)
    await connection.execute(update(t.audit_chain).values(seq=seq, hash=head))


async def holds(connection: AsyncConnection, entry: str) -> bool:
    """Whether an entry with that id stands in it."""
    return await connection.scalar(select(t.audit.c.id).where(t.audit.c.id == entry)) is not None


def seal(before: bytes, seq: int, each: AuditEntry) -> bytes:
    """SHA-256 over the former seal and every column of the entry."""
    content = [seq, each.id, each.at_ms, each.agency, each.actor, each.action, each.target_kind, each.target]
    text = json.dumps([*content, each.detail, each.address], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(before + text.encode()).digest()


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """Result of `verify`: how many entries were read, and the first one that does not fit (None: all fit)."""

    entries: int
    broken_at: int | None = None


async def verify(connection: AsyncConnection) -> AuditCheck:
    """Read the whole audit and check every seal, the gaps and the end.

    ``connection``: a snapshot, for an entry that comes between two looks would stand beyond the end.
    """
    chain = (await connection.execute(select(t.audit_chain))).one()
    seq, head, count = chain.pruned_seq, bytes(chain.pruned_hash), 0
    async for row in each_row(connection, select(t.audit).order_by(t.audit.c.seq)):
        seq += 1
        head = seal(head, seq, entry_of(row))
        count += 1
        if row.seq != seq or bytes(row.hash) != head:
            return AuditCheck(count, seq)
    whole = seq == chain.seq and head == bytes(chain.hash)
    return AuditCheck(count, None if whole else seq + 1)


async def prune(connection: AsyncConnection, before_ms: int, most: int) -> int:
    """Delete ``most`` of the oldest entries, up to the first that is younger than ``before_ms``; returns how many."""
    # Two nodes prune one after the other: the end that a slower one found would be before what is gone by then.
    chain = (await connection.execute(select(t.audit_chain).with_for_update())).one()
    youngest_kept = select(t.audit.c.seq).where(t.audit.c.at_ms >= before_ms).order_by(t.audit.c.seq).limit(1)
    kept = await connection.scalar(youngest_kept)
    last = select(t.audit).where(t.audit.c.seq <= chain.pruned_seq + most).order_by(t.audit.c.seq.desc()).limit(1)
    if kept is not None:
        last = last.where(t.audit.c.seq < kept)
    row = (await connection.execute(last)).one_or_none()
    if row is None:
        return 0
    gone = await connection.execute(delete(t.audit).where(t.audit.c.seq <= row.seq))
    await connection.execute(update(t.audit_chain).values(pruned_seq=row.seq, pruned_hash=row.hash))
    return int(gone.rowcount)


def entry_of(row: Row[Any]) -> AuditEntry:
    """A row of ``audit`` without its place in the chain."""
    return AuditEntry(
        row.id,
        row.at_ms,
        row.agency_id,
        row.actor_id,
        row.action,
        row.target_kind,
        row.target_id,
        row.detail,
        row.address,
    )


def _row(seq: int, head: bytes, each: AuditEntry) -> dict[str, Any]:
    return {
        "seq": seq,
        "id": each.id,
        "at_ms": each.at_ms,
        "agency_id": each.agency,
        "actor_id": each.actor,
        "action": each.action,
        "target_kind": each.target_kind,
        "target_id": each.target,
        "detail": each.detail,
        "address": each.address,
        "hash": head,
    }
