"""Written messages in SQL: kept before they are told; how far each user has read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, func, or_, select, tuple_, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, GroupId, StatusWord, TextKind, UserId
from poc_server.store import tables as t
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.statements import in_parts, insert_new, upsert

READ_AT_ONCE = 300
"""Messages that one question names."""


@dataclass(frozen=True, slots=True)
class TextDraft:
    """What is to be kept. ``key``: the client's own id, by which the same is kept once."""

    key: str
    by: UserId
    agency: AgencyId
    at_ms: int
    kind: TextKind
    text: str
    status: StatusWord | None = None
    group: GroupId | None = None
    to: UserId | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """What waits in one thread for one user: how many, and the number of the latest."""

    user: UserId
    thread: str
    unread: int
    last: int


def thread_of_group(group: GroupId) -> str:
    """The name of the messages of a group, which may be gone."""
    return f"g:{group}"


def thread_of(user: UserId, group: GroupId | None, other: UserId | None) -> str:
    """The name of the messages of a group, or of two people."""
    return thread_of_group(group) if group is not None else "u:" + "|".join(sorted((user, other or user)))


async def keep(connection: AsyncConnection, draft: TextDraft) -> tuple[Row[Any], bool]:
    """Keep a message; the row as it stands, and whether it is new. The sender has read it."""
    mine = (t.text.c.by_id == draft.by) & (t.text.c.key == draft.key)
    before = (await connection.execute(select(t.text).where(mine))).one_or_none()
    if before is not None:
        return before, False
    thread = thread_of(draft.by, draft.group, draft.to)
    values = {
        "id": new_id("tx"),
        "thread": thread,
        "number": await _next(connection, thread),
        "agency_id": draft.agency,
        "by_id": draft.by,
        "group_id": draft.group,
        "to_id": draft.to,
        "key": draft.key,
        "kind": draft.kind.value,
        "status": draft.status,
        "text": clean(draft.text),
        "at_ms": draft.at_ms,
    }
    await connection.execute(t.text.insert(), [values])
    return (await connection.execute(select(t.text).where(mine))).one(), True


async def page(
    connection: AsyncConnection, thread: str, limit: int, before: int | None = None, from_ms: int = 0
) -> tuple[list[Row[Any]], bool]:
    """The newest of a thread (before number ``before``, written since ``from_ms``), oldest first; whether more are."""
    query = select(t.text).where(t.text.c.thread == thread, t.text.c.at_ms >= from_ms)
    if before is not None:
        query = query.where(t.text.c.number < before)
    rows = list((await connection.execute(query.order_by(t.text.c.number.desc()).limit(limit + 1))).all())
    return rows[:limit][::-1], len(rows) > limit


async def read(connection: AsyncConnection, user: UserId, thread: str, number: int) -> None:
    """Everything up to ``number`` was read, as far as there is anything; it never goes back."""
    last = await connection.scalar(select(t.text_thread.c.number).where(t.text_thread.c.thread == thread))
    number = min(number, int(last or 0))
    mine = (t.text_read.c.user_id == user) & (t.text_read.c.thread == thread)
    known = await connection.scalar(select(t.text_read.c.number).where(mine))
    if known is None or known < number:
        row = {"user_id": user, "thread": thread, "number": number}
        await upsert(connection, t.text_read, ("user_id", "thread"), [row], ("number",))


async def member_since(connection: AsyncConnection, group: GroupId, user: UserId) -> int:
    """Since when he is a member, ms; 0 when that is not known."""
    p = t.membership_period.c
    query = select(func.max(p.from_ms)).where(p.group_id == group, p.user_id == user, p.until_ms.is_(None))
    return int(await connection.scalar(query) or 0)


async def unread(connection: AsyncConnection, users: Collection[UserId], thread: str | None = None) -> list[Unread]:
    """What waits for these users, in every thread of theirs or in the one named; nothing where nothing waits."""
    found = []
    for query in (_unread_in_groups(users), _unread_in_passing(users), _unread_from_people(users)):
        if thread is not None:
            query = query.where(t.text.c.thread == thread)
        rows = (await connection.execute(query)).all()
        found += [Unread(UserId(row.user), row.thread, int(row.unread), int(row.last)) for row in rows]
    return sorted(found, key=lambda each: (each.user, each.thread))


async def latest(connection: AsyncConnection, user: UserId) -> list[Row[Any]]:
    """The last message of each thread that a user may read, the newest first."""
    queries = (_last_in_groups(user), _last_in_passing(user), _last_between_people(user))
    rows = [row for query in queries for row in (await connection.execute(query)).all()]
    return sorted(rows, key=lambda row: (-row.at_ms, row.thread))


async def messages(connection: AsyncConnection, places: Collection[tuple[str, int]]) -> dict[tuple[str, int], Row[Any]]:
    """The messages of these threads and numbers."""
    found: dict[tuple[str, int], Row[Any]] = {}
    for part in in_parts(sorted(places), READ_AT_ONCE):
        query = select(t.text).where(tuple_(t.text.c.thread, t.text.c.number).in_(part))
        found |= {(row.thread, row.number): row for row in (await connection.execute(query)).all()}
    return found


async def places_of_texts(connection: AsyncConnection) -> tuple[set[GroupId], set[UserId]]:
    """The groups in which anything was written, and the users to whom."""
    groups = (await connection.execute(select(t.text.c.group_id).distinct())).scalars()
    users = (await connection.execute(select(t.text.c.to_id).distinct())).scalars()
    return {GroupId(each) for each in groups if each}, {UserId(each) for each in users if each}


async def _next(connection: AsyncConnection, thread: str) -> int:
    await insert_new(connection, t.text_thread, [{"thread": thread, "number": 0}])
    mine = t.text_thread.c.thread == thread
    await connection.execute(update(t.text_thread).where(mine).values(number=t.text_thread.c.number + 1))
    return int((await connection.execute(select(t.text_thread.c.number).where(mine))).scalar_one())


def _unread_in_groups(users: Collection[UserId]) -> Select[Any]:
    m, p = t.membership.c, t.membership_period.c
    here = (p.group_id == m.group_id) & (p.user_id == m.user_id) & p.until_ms.is_(None)
    source = (
        t.membership.join(t.text, t.text.c.group_id == m.group_id)
        .outerjoin(t.membership_period, here)
        .outerjoin(t.text_read, (t.text_read.c.user_id == m.user_id) & (t.text_read.c.thread == t.text.c.thread))
    )
    joined = or_(p.from_ms.is_(None), t.text.c.at_ms >= p.from_ms)
    return _counted(m.user_id, source, m.user_id.in_(sorted(users)), joined)


def _last_in_groups(user: UserId) -> Select[Any]:
    m, p = t.membership.c, t.membership_period.c
    here = (p.group_id == m.group_id) & (p.user_id == m.user_id) & p.until_ms.is_(None)
    later = t.text.alias()
    newest = select(func.max(later.c.number)).where(later.c.group_id == m.group_id).scalar_subquery()
    source = t.membership.join(t.text, t.text.c.group_id == m.group_id).outerjoin(t.membership_period, here)
    joined = or_(p.from_ms.is_(None), t.text.c.at_ms >= p.from_ms)
    return select(t.text).select_from(source).where(m.user_id == user, t.text.c.number == newest, joined)


def _unread_in_passing(users: Collection[UserId]) -> Select[Any]:
    reader = t.text_reader.c
    source = t.text_reader.join(t.text, t.text.c.group_id == reader.group_id).outerjoin(
        t.text_read, (t.text_read.c.user_id == reader.user_id) & (t.text_read.c.thread == t.text.c.thread)
    )
    his = or_(reader.until.is_(None), t.text.c.number <= reader.until)
    return _counted(reader.user_id, source, reader.user_id.in_(sorted(users)), his)


def _last_in_passing(user: UserId) -> Select[Any]:
    reader, later = t.text_reader.c, t.text.alias()
    his = (later.c.group_id == reader.group_id) & or_(reader.until.is_(None), later.c.number <= reader.until)
    newest = select(func.max(later.c.number)).where(his).scalar_subquery()
    source = t.text_reader.join(t.text, t.text.c.group_id == reader.group_id)
    return select(t.text).select_from(source).where(reader.user_id == user, t.text.c.number == newest)


def _unread_from_people(users: Collection[UserId]) -> Select[Any]:
    to = t.text.c.to_id
    source = t.text.outerjoin(t.text_read, (t.text_read.c.user_id == to) & (t.text_read.c.thread == t.text.c.thread))
    return _counted(to, source, to.in_(sorted(users)))


def _last_between_people(user: UserId) -> Select[Any]:
    between, mine = t.text.alias(), t.text.alias()
    sent = select(mine.c.thread, mine.c.number).where(mine.c.by_id == user, mine.c.to_id.is_not(None))
    got = select(between.c.thread, between.c.number).where(between.c.to_id == user)
    every = union_all(sent, got).subquery()
    last = select(every.c.thread, func.max(every.c.number).label("number")).group_by(every.c.thread).subquery()
    return select(t.text).join(last, (t.text.c.thread == last.c.thread) & (t.text.c.number == last.c.number))


def _counted(user: Any, source: Any, *which: ColumnElement[bool]) -> Select[Any]:
    new = t.text.c.number > func.coalesce(t.text_read.c.number, 0)
    return (
        select(
            user.label("user"), t.text.c.thread, func.count().label("unread"), func.max(t.text.c.number).label("last")
        )
        .select_from(source)
        .where(*which, new, t.text.c.by_id != user)
        .group_by(user, t.text.c.thread)
    )
