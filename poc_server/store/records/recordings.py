"""Reading recordings: search, one by its key, the last of a group. Who may read what is part of every query."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, Table, and_, exists, false, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import GroupId, Tier, UnitId, UserId
from poc_server.store import tables as t
from poc_server.store.bridge import incidents
from poc_server.store.sql.statements import in_parts

Found = Row[Any]
"""A row of the table ``burst``."""
GROUPS_AT_ONCE = 500
"""Names in one question to SQL."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What one person may replay.

    Attributes:
        whole: groups of which everything may be heard.
        while_member: groups of which may be heard what was said while ``user`` was a member.
        as_hearer: calls may be heard to which ``user`` was a party.
        gone_in: units of whose groups, gone since, everything may be heard.
        gone_while_member: of groups that are gone since, may be heard what was said while ``user`` was a member, if
            he was one to their end.
    """

    user: UserId
    whole: frozenset[GroupId] = frozenset()
    while_member: frozenset[GroupId] = frozenset()
    as_hearer: bool = False
    gone_in: frozenset[UnitId] = frozenset()
    gone_while_member: bool = False


@dataclass(frozen=True, slots=True)
class Area:
    """A box in degrees."""

    west: float
    south: float
    east: float
    north: float


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; None is anything. Times in ms since the epoch, lengths in ms; ``tier`` and above.

    ``audio``: only what has sound.
    """

    group: GroupId | None = None
    user: UserId | None = None
    not_user: UserId | None = None
    incident: str | None = None
    call: str | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    tier: Tier | None = None
    shortest_ms: int | None = None
    longest_ms: int | None = None
    area: Area | None = None
    audio: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """A slice of a list: ``after`` the (time, key) of the last one seen, ``limit`` at most, oldest or newest first."""

    limit: int
    after: tuple[int, str] | None = None
    oldest_first: bool = False


async def search(connection: AsyncConnection, scope: Scope, what: Search, page: Page) -> list[Found]:
    """Recordings by time of their begin."""
    b = t.burst.c
    query: Select[Any] = select(t.burst).where(_allowed(scope), *_conditions(what))
    if page.after is not None:
        at, key = page.after
        later = or_(b.started_ms > at, and_(b.started_ms == at, b.key > key))
        earlier = or_(b.started_ms < at, and_(b.started_ms == at, b.key < key))
        query = query.where(later if page.oldest_first else earlier)
    order = (b.started_ms, b.key) if page.oldest_first else (b.started_ms.desc(), b.key.desc())
    return list((await connection.execute(query.order_by(*order).limit(page.limit))).all())


async def one(connection: AsyncConnection, scope: Scope, key: str) -> Found | None:
    """The recording with that key; None also when it may not be heard."""
    query = select(t.burst).where(t.burst.c.key == key, _allowed(scope))
    return (await connection.execute(query)).one_or_none()


async def any_one(connection: AsyncConnection, key: str) -> Found | None:
    """The recording with that key, whoever asks: for the audit of a refusal."""
    return (await connection.execute(select(t.burst).where(t.burst.c.key == key))).one_or_none()


async def of_burst(connection: AsyncConnection, group: GroupId, burst: int) -> Found | None:
    """The recording of one burst, whoever asks: the right to hear it is that to what it was said in."""
    query = select(t.burst).where(t.burst.c.group_id == group, t.burst.c.id == burst, t.burst.c.file != "")
    return (await connection.execute(query)).first()


async def tally(connection: AsyncConnection, scope: Scope, what: Search) -> list[Found]:
    """Per group and talker: ``recordings``, ``heard_ms`` in all, highest ``tier``, ``last_ms``."""
    b = t.burst.c
    query = (
        select(
            b.group_id,
            b.user_id,
            b.user_name,
            func.count().label("recordings"),
            func.sum(b.duration_ms).label("heard_ms"),
            func.max(b.tier).label("tier"),
            func.max(b.started_ms).label("last_ms"),
        )
        .where(_allowed(scope), b.file != "", *_conditions(what))
        .group_by(b.group_id, b.user_id, b.user_name)
        .order_by(func.max(b.tier).desc(), func.max(b.started_ms).desc())
    )
    return list((await connection.execute(query)).all())


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a recording stands in the order in which missed voice is played: after it is who comes later."""

    tier: int
    started_ms: int
    key: str


async def missed(
    connection: AsyncConnection, scope: Scope, what: Search, limit: int, after: Turn | None = None
) -> list[Found]:
    """Recordings with sound, as they are to be played: the highest tier first, then in order of time."""
    b = t.burst.c
    query = select(t.burst).where(_missed(scope, what, after))
    return list((await connection.execute(query.order_by(b.tier.desc(), b.started_ms, b.key).limit(limit))).all())


async def still_missed(connection: AsyncConnection, scope: Scope, what: Search, after: Turn) -> tuple[int, int]:
    """How many come later than ``after``, and how long they are (ms)."""
    query = select(func.count(), func.sum(t.burst.c.duration_ms)).where(_missed(scope, what, after))
    count, length = (await connection.execute(query)).one()
    return int(count), int(length or 0)


def _missed(scope: Scope, what: Search, after: Turn | None) -> ColumnElement[bool]:
    b = t.burst.c
    rules = [_allowed(scope), b.file != "", *_conditions(what)]
    if after is not None:
        same = b.tier == after.tier
        later = and_(same, b.started_ms == after.started_ms, b.key > after.key)
        rules.append(or_(b.tier < after.tier, and_(same, b.started_ms > after.started_ms), later))
    return and_(*rules)


async def group_names(connection: AsyncConnection, groups: Collection[GroupId]) -> dict[GroupId, str]:
    """What these groups are called; of those that are gone, the name of their case, if they had one."""
    found = await incidents.titles(connection, groups)
    g = t.group.c
    for part in in_parts(sorted(groups), GROUPS_AT_ONCE):
        query = select(g.id, g.name).where(g.id.in_(part))
        found |= {GroupId(row.id): row.name for row in (await connection.execute(query)).all()}
    return found


def _conditions(what: Search) -> list[ColumnElement[bool]]:
    b = t.burst.c
    tests: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "group": lambda group: b.group_id == group,
        "user": lambda user: b.user_id == user,
        "not_user": lambda user: or_(b.user_id.is_(None), b.user_id != user),
        "incident": lambda incident: b.incident == incident,
        "call": lambda call: b.call_id == call,
        "from_ms": lambda at: b.ended_ms > at,
        "until_ms": lambda at: b.started_ms < at,
        "tier": lambda tier: b.tier >= int(tier),
        "shortest_ms": lambda length: b.duration_ms >= length,
        "longest_ms": lambda length: b.duration_ms <= length,
    }
    found = [test(value) for name, test in tests.items() if (value := getattr(what, name)) is not None]
    if what.audio:
        found.append(b.file != "")
    if what.area is not None:
        found.append(b.longitude.between(what.area.west, what.area.east))
        found.append(b.latitude.between(what.area.south, what.area.north))
    return found


def _allowed(scope: Scope) -> ColumnElement[bool]:
    rule = allowed_rows(scope, t.burst, t.burst.c.started_ms)
    if not scope.as_hearer:
        return rule
    h = t.burst_hearer.c
    return or_(rule, exists().where(h.key == t.burst.c.key, h.user_id == scope.user))


def allowed_rows(scope: Scope, table: Table, at: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a row of ``table`` (with group_id and unit_id), which came to be ``at``, is within ``scope``."""
    b, p = table.c, t.membership_period.c
    rules: list[ColumnElement[bool]] = [false()]
    gone = b.group_id.not_in(select(t.group.c.id))
    inside = exists().where(
        p.group_id == b.group_id,
        p.user_id == scope.user,
        p.from_ms <= at,
        or_(p.until_ms.is_(None), p.until_ms > at),
    )
    if scope.whole:
        rules.append(b.group_id.in_(sorted(scope.whole)))
    if scope.while_member:
        rules.append(and_(b.group_id.in_(sorted(scope.while_member)), inside))
    if scope.gone_while_member:
        rules.append(and_(gone, inside, _member_to_the_end(scope.user, b.group_id)))
    if scope.gone_in:
        rules.append(and_(b.unit_id.in_(sorted(scope.gone_in)), gone))
    return or_(*rules)


def _member_to_the_end(user: UserId, group: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether ``user`` was a member still when ``group`` went: who had left it before does not come back by that."""
    p, end = t.membership_period.c, t.group_end.c
    return exists().where(end.group_id == group, p.group_id == end.group_id, p.user_id == user, p.until_ms == end.at_ms)
