"""Small look-ups that repositories share."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, GroupId, Refusal, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t

Pair = tuple[GroupId, UserId]
"""Somebody in a group."""


async def one(connection: AsyncConnection, table: Table, key: str, expected: int | None = None) -> Row[Any]:
    """The row with that id. Refuses: not_found; stale when its version is not the ``expected`` one."""
    row = (await connection.execute(select(table).where(table.c.id == key))).one_or_none()
    if row is None:
        raise Refused(Refusal.NOT_FOUND, table.name)
    if expected is not None and row.version != expected:
        raise Refused(Refusal.STALE, table.name)
    return row


async def unit_of_agency(connection: AsyncConnection, agency: AgencyId, unit: UnitId) -> None:
    """Refuses a unit that is not of that agency, as if it were not there."""
    query = select(t.unit.c.id).where(t.unit.c.id == unit, t.unit.c.agency_id == agency)
    if await connection.scalar(query) is None:
        raise Refused(Refusal.NOT_FOUND, "unit")


def pairs_of(table: Table, pairs: Collection[Pair]) -> ColumnElement[bool]:
    """The rows of these groups and users: group by group, for to name each pair costs the loop milliseconds."""
    users: dict[GroupId, list[UserId]] = {}
    for group, user in pairs:
        users.setdefault(group, []).append(user)
    return or_(*((table.c.group_id == group) & table.c.user_id.in_(these) for group, these in users.items()))


def like(text: str) -> str:
    r"""``text`` anywhere, its wildcards taken literally (escape character ``\``)."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def holds(column: Any, text: str) -> ColumnElement[bool]:
    """``text`` stands anywhere in the column, in small letters or large."""
    found: ColumnElement[bool] = func.lower(column).like(like(text.lower()), escape="\\")
    return found


def typed(text: str) -> str:
    """What somebody types who means pinyin, as it is kept: ``Zhang San`` is ``zhangsan``. Else empty."""
    word = "".join(text.lower().replace("'", " ").replace("ü", "v").split())
    return word if word.isascii() and word.isalnum() else ""


def person_holds(text: str) -> ColumnElement[bool]:
    """``text`` stands in the name, badge or sign-in name of a row of ``users``, or is pinyin of its name."""
    columns = (t.user.c.name, t.user.c.badge, t.user.c.account)
    found = [holds(column, text) for column in columns]
    word = typed(text)
    if word:
        found += [t.user.c.initials.like(like(word), escape="\\"), t.user.c.spelled.like(like(f" {word}"), escape="\\")]
    return or_(*found)


def place_of(row: Row[Any]) -> dict[str, Any] | None:
    """The place of a recording's or photo's row, with the degrees of its own columns, by which it is searched."""
    if row.place is None and row.longitude is None and row.latitude is None:
        return None
    return {**(row.place or {}), "longitude": row.longitude, "latitude": row.latitude}
