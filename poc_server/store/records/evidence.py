"""The evidence chain in SQL: positions given at the insert under a lock, heads that wait for their signature.

How entries are sealed stands in `poc_server.ground.chain`; here is where they are kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, and_, bindparam, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.ground.chain import START, Entry, Head, Kind, SignedHead, Stored, extend
from poc_server.ground.city_time import city_day
from poc_server.store import tables as t
from poc_server.store.sql.statements import in_parts, insert_new, upsert

READ_AT_ONCE = 1_000
HEADS_AT_ONCE = 200
"""Each becomes objects on the loop, and a city has thousands a day."""


@dataclass(frozen=True, slots=True)
class Item:
    """What is to be sealed. ``subject`` is unique among all; ``zone_minutes`` the city's offset from UTC."""

    group: str
    kind: Kind
    subject: str
    content: str
    zone_minutes: int


async def append(connection: AsyncConnection, items: Sequence[Item], at_ms: int) -> set[str]:
    """Seal ``items`` in order after what is there; returns the subjects that were new.

    The day is that of the insert, not of the event: a late one is late. It never goes back, whatever the clock does.
    """
    if not items:
        return set()
    groups = sorted({item.group for item in items})
    blank = {"day": "", "entries": 0, "hash": START}
    await insert_new(connection, t.evidence_chain, [{"group_id": group, **blank} for group in groups])
    query = select(t.evidence_chain).where(t.evidence_chain.c.group_id.in_(groups))
    locked = await connection.execute(query.order_by(t.evidence_chain.c.group_id).with_for_update())
    ends = {row.group_id: row for row in locked}
    new = await _unknown(connection, items)  # after the lock: until then another node may seal the same
    made: list[Stored] = []
    for group in groups:
        of_group = [item for item in new if item.group == group]
        if of_group:
            made += _sealed(ends[group], of_group, at_ms)
    if made:
        await _keep(connection, made)
    return {stored.entry.subject for stored in made}


async def unsigned(connection: AsyncConnection, limit: int, after: tuple[str, str] | None = None) -> list[Row[Any]]:
    """Days whose newest entries nobody has signed for, by day and group, those ``after`` one."""
    d = t.evidence_day.c
    query = select(t.evidence_day).where(d.signed_entries < d.entries)
    if after is not None:
        day, group = after
        query = query.where(or_(d.day > day, and_(d.day == day, d.group_id > group)))
    return list((await connection.execute(query.order_by(d.day, d.group_id).limit(limit))).all())


async def keep_signatures(connection: AsyncConnection, signed: Sequence[SignedHead]) -> None:
    """Keep signatures; an older one never replaces a newer."""
    which = and_(
        t.evidence_day.c.group_id == bindparam("g"),
        t.evidence_day.c.day == bindparam("d"),
        t.evidence_day.c.signed_entries < bindparam("n"),
    )
    statement = (
        update(t.evidence_day)
        .where(which)
        .values(
            signed_entries=bindparam("n"),
            signed_hash=bindparam("h"),
            signed_ms=bindparam("ms"),
            signed_by=bindparam("k"),
            signature=bindparam("s"),
        )
    )
    rows = [
        {
            "g": each.head.group,
            "d": each.head.day,
            "n": each.head.count,
            "h": each.head.hash,
            "ms": each.head.at_ms,
            "k": each.head.key,
            "s": each.signature,
        }
        for each in signed
    ]
    if rows:
        await connection.execute(statement, rows)


async def heads(
    connection: AsyncConnection, *, groups: Sequence[str] | None = None, days: Sequence[str] | None = None
) -> list[SignedHead]:
    """The newest signed head of each day, by group and day."""
    d = t.evidence_day.c
    query = select(t.evidence_day).where(d.signature.is_not(None))
    if groups is not None:
        query = query.where(d.group_id.in_(groups))
    if days is not None:
        query = query.where(d.day.in_(days))
    query = query.order_by(d.group_id, d.day).limit(HEADS_AT_ONCE)
    found: list[SignedHead] = []
    part = query
    while True:
        rows = (await connection.execute(part)).all()
        found += [_signed_head(row) for row in rows]
        if len(rows) < HEADS_AT_ONCE:
            return found
        group, day = rows[-1].group_id, rows[-1].day
        part = query.where(or_(d.group_id > group, and_(d.group_id == group, d.day > day)))


def _signed_head(row: Row[Any]) -> SignedHead:
    head = Head(row.group_id, row.day, row.signed_entries, bytes(row.signed_hash), row.signed_ms, row.signed_by)
    return SignedHead(head, bytes(row.signature))


async def newest_heads(connection: AsyncConnection, groups: Collection[str]) -> list[SignedHead]:
    """The newest signed head of each of these groups."""
    d = t.evidence_day.c
    signed = d.signature.is_not(None) & d.group_id.in_(sorted(groups))
    days = (await connection.execute(select(d.group_id, func.max(d.day)).where(signed).group_by(d.group_id))).all()
    found = [await heads(connection, groups=[group], days=[day]) for group, day in days]
    return [head for of_group in found for head in of_group]


async def seals(
    connection: AsyncConnection, day: str, places: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], bytes]:
    """The seals that stand at these places (group, position) of ``day``; those where nothing stands are left out."""
    e = t.evidence.c
    found: dict[tuple[str, int], bytes] = {}
    for part in in_parts(places, READ_AT_ONCE):
        query = select(e.group_id, e.position, e.hash).where(e.day == day, tuple_(e.group_id, e.position).in_(part))
        found |= {(row.group_id, row.position): bytes(row.hash) for row in await connection.execute(query)}
    return found


async def entries(
    connection: AsyncConnection, *, group: str | None = None, day: str | None = None
) -> AsyncIterator[Stored]:
    """Entries by group, day and position, read in slices."""
    columns = (t.evidence.c.group_id, t.evidence.c.day, t.evidence.c.position)
    after: tuple[str, str, int] | None = None
    while True:
        query: Select[Any] = select(t.evidence).order_by(*columns).limit(READ_AT_ONCE)
        if group is not None:
            query = query.where(t.evidence.c.group_id == group)
        if day is not None:
            query = query.where(t.evidence.c.day == day)
        if after is not None:
            query = query.where(_after(after))
        rows = (await connection.execute(query)).all()
        for row in rows:
            yield stored_of(row)
        if len(rows) < READ_AT_ONCE:
            return
        after = (rows[-1].group_id, rows[-1].day, rows[-1].position)


async def days_of(connection: AsyncConnection, subjects: Collection[str]) -> set[tuple[str, str]]:
    """The groups and days in which these were sealed."""
    found: set[tuple[str, str]] = set()
    e = t.evidence.c
    for part in in_parts(sorted(subjects), READ_AT_ONCE):
        rows = await connection.execute(select(e.group_id, e.day).where(e.subject.in_(part)).distinct())
        found.update((row.group_id, row.day) for row in rows)
    return found


async def entry_of(connection: AsyncConnection, subject: str) -> Stored | None:
    """The entry of one subject."""
    row = (await connection.execute(select(t.evidence).where(t.evidence.c.subject == subject))).one_or_none()
    return None if row is None else stored_of(row)


def stored_of(row: Row[Any]) -> Stored:
    """An entry from its row."""
    entry = Entry(
        row.group_id,
        row.day,
        row.position,
        row.kind,
        row.subject,
        row.at_ms,
        bytes(row.content_hash),
        bytes(row.previous),
    )
    return Stored(entry, bytes(row.hash), row.content)


def _after(last: tuple[str, str, int]) -> Any:
    group, day, position = last
    e = t.evidence.c
    same_group = and_(e.group_id == group, e.day > day)
    same_day = and_(e.group_id == group, e.day == day, e.position > position)
    return (e.group_id > group) | same_group | same_day


async def _unknown(connection: AsyncConnection, items: Sequence[Item]) -> list[Item]:
    """Those of ``items`` that the chain does not know, each once."""
    by_subject = {item.subject: item for item in items}
    query = select(t.evidence.c.subject).where(t.evidence.c.subject.in_(list(by_subject)))
    known = set((await connection.execute(query)).scalars())
    return [item for subject, item in by_subject.items() if subject not in known]


def _sealed(end: Row[Any], items: Sequence[Item], at_ms: int) -> list[Stored]:
    day = max(city_day(at_ms, items[0].zone_minutes).isoformat(), end.day)
    position = end.entries if day == end.day else 0
    contents = [(item.kind.value, item.subject, item.content) for item in items]
    return extend(items[0].group, day, (position, bytes(end.hash)), contents, at_ms)


async def _keep(connection: AsyncConnection, made: Sequence[Stored]) -> None:
    await connection.execute(insert(t.evidence), [_row(stored) for stored in made])
    last = {stored.entry.group: stored for stored in made}
    ends = [
        {"g": group, "d": stored.entry.day, "n": stored.entry.position, "h": stored.hash}
        for group, stored in last.items()
    ]
    new_end: dict[str, Any] = {"day": bindparam("d"), "entries": bindparam("n"), "hash": bindparam("h")}
    await connection.execute(
        update(t.evidence_chain).where(t.evidence_chain.c.group_id == bindparam("g")).values(**new_end), ends
    )
    days = [
        {"group_id": end["g"], "day": end["d"], "entries": end["n"], "hash": end["h"], "signed_entries": 0}
        for end in ends
    ]
    await upsert(connection, t.evidence_day, ("group_id", "day"), days, ("entries", "hash"))


def _row(stored: Stored) -> dict[str, Any]:
    entry = stored.entry
    return {
        "group_id": entry.group,
        "day": entry.day,
        "position": entry.position,
        "kind": entry.kind,
        "subject": entry.subject,
        "at_ms": entry.at_ms,
        "content_hash": entry.content_hash,
        "previous": entry.previous,
        "hash": stored.hash,
        "content": stored.content,
    }
