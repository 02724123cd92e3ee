"""Groups that lived as long as their call: who may read what was written there when they are no more."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.model import Group
from groups.vocabulary import AgencyId, GroupId, GroupKind, UnitId, UserId
from poc_server.store import tables as t
from poc_server.store.sql.statements import upsert

WITHOUT_END = 2**53
"""A number that no message reaches: whoever is there still reads all."""


async def keep(connection: AsyncConnection, group: Group, members: Collection[UserId], number: int) -> None:
    """The message ``number`` was written there: these may read it, and who has left meanwhile no more than before."""
    row = {
        "id": group.id,
        "agency_id": group.agency,
        "unit_id": group.unit,
        "kind": group.kind.value,
        "name": group.name,
    }
    await upsert(connection, t.passing_group, ("id",), [row], ("name",))
    reader = t.text_reader.c
    query = select(reader.user_id).where(reader.group_id == group.id, reader.until.is_(None))
    known = set((await connection.execute(query)).scalars())
    left = (reader.group_id == group.id) & reader.user_id.in_(sorted(known.difference(members)))
    await connection.execute(update(t.text_reader).where(left).values(until=number - 1))
    again = {"group_id": group.id, "until": None}
    new = [again | {"user_id": user} for user in sorted(set(members).difference(known))]
    if new:
        await upsert(connection, t.text_reader, ("group_id", "user_id"), new, ("until",))


async def group(connection: AsyncConnection, key: GroupId) -> Group | None:
    """As it was when something was written there last; None where nothing ever was."""
    row = (await connection.execute(select(t.passing_group).where(t.passing_group.c.id == key))).one_or_none()
    if row is None:
        return None
    return Group(GroupId(row.id), AgencyId(row.agency_id), UnitId(row.unit_id), row.name, GroupKind(row.kind))


async def names(connection: AsyncConnection, groups: Collection[GroupId]) -> dict[GroupId, str]:
    """What those of these groups were called in which something was written."""
    if not groups:
        return {}
    passing = t.passing_group.c
    rows = await connection.execute(select(passing.id, passing.name).where(passing.id.in_(sorted(groups))))
    return {GroupId(row.id): row.name for row in rows}


async def reads_until(connection: AsyncConnection, group: GroupId, user: UserId) -> int | None:
    """The number of the last message he may read, of whoever was there; None: he may read none."""
    reader = t.text_reader.c
    query = select(reader.until).where(reader.group_id == group, reader.user_id == user)
    found = (await connection.execute(query)).one_or_none()
    if found is None:
        return None
    return WITHOUT_END if found.until is None else int(found.until)


async def readers(connection: AsyncConnection) -> set[UserId]:
    """All who may read anything in such a group."""
    return {UserId(each) for each in (await connection.execute(select(t.text_reader.c.user_id).distinct())).scalars()}
