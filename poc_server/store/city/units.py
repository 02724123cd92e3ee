"""Agencies and their trees of units (市-区-街道-队): reading and changing them."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, Refusal, UnitId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.lookup import one, unit_of_agency

MAX_UNIT_DEPTH = 12
"""Levels of a tree of units, its root among them."""


async def create_agency(change: Change, name: str, agency: AgencyId | None = None) -> AgencyId:
    """A new agency."""
    made = agency or AgencyId(new_id("ag"))
    values = {"id": made, "name": clean(name), "created_ms": change.at_ms, "version": change.version}
    await change.connection.execute(insert(t.agency), [values])
    change.note("agency", made)
    change.record("agency.create", "agency", made, {"name": name}, made)
    return made


async def create_unit(change: Change, agency: AgencyId, parent: UnitId | None, name: str) -> UnitId:
    """A new unit below ``parent``.

    Refuses a parent that is not of this agency (not_found), or beyond `MAX_UNIT_DEPTH` (conflict).
    """
    if parent is not None:
        await unit_of_agency(change.connection, agency, parent)
        _check_depth(len(await _path(change.connection, parent)) + 1)
    made = UnitId(new_id("un"))
    values = {
        "id": made,
        "agency_id": agency,
        "parent_id": parent,
        "name": clean(name),
        "created_ms": change.at_ms,
        "version": change.version,
    }
    await change.connection.execute(insert(t.unit), [values])
    change.note("unit", made)
    change.record("unit.create", "unit", made, {"name": name, "parent": parent}, agency)
    return made


async def update_unit(
    change: Change, unit: UnitId, *, name: str, parent: UnitId | None, expected: int | None = None
) -> None:
    """Rename or move a unit. Refuses a loop or too deep a tree (conflict), an older ``expected`` version (stale)."""
    row = await one(change.connection, t.unit, unit, expected)
    if parent is not None:
        await unit_of_agency(change.connection, row.agency_id, parent)
        path = await _path(change.connection, parent)
        if unit in path:
            raise Refused(Refusal.CONFLICT, "a unit cannot be below itself")
        _check_depth(len(path) + await _levels(change.connection, unit))
    values = {"name": clean(name), "parent_id": parent, "version": change.version}
    await change.connection.execute(update(t.unit).where(t.unit.c.id == unit).values(values))
    change.note("unit", unit)
    change.record("unit.update", "unit", unit, {"name": name, "parent": parent}, row.agency_id)


async def delete_unit(change: Change, unit: UnitId, expected: int | None = None) -> None:
    """Delete an empty unit. Refuses one that still holds users, groups or units (conflict)."""
    row = await one(change.connection, t.unit, unit, expected)
    await change.connection.execute(delete(t.unit).where(t.unit.c.id == unit))
    change.note("unit", unit)
    change.record("unit.delete", "unit", unit, {"name": row.name}, row.agency_id)


async def unit_row(connection: AsyncConnection, unit: UnitId) -> Row[Any] | None:
    """The row of a unit, with its version."""
    return (await connection.execute(select(t.unit).where(t.unit.c.id == unit))).one_or_none()


def _check_depth(levels: int) -> None:
    if levels > MAX_UNIT_DEPTH:
        raise Refused(Refusal.CONFLICT, f"a tree of units has at most {MAX_UNIT_DEPTH} levels")


async def _path(connection: AsyncConnection, unit: UnitId) -> set[UnitId]:
    """A unit and those above it."""
    above = select(t.unit.c.id, t.unit.c.parent_id).where(t.unit.c.id == unit).cte("above", recursive=True)
    above = above.union(select(t.unit.c.id, t.unit.c.parent_id).where(t.unit.c.id == above.c.parent_id))
    return {UnitId(each) for each in (await connection.execute(select(above.c.id))).scalars()}


async def _levels(connection: AsyncConnection, unit: UnitId) -> int:
    """How many levels a unit has with what is below it."""
    level = literal(1).label("level")
    below = select(t.unit.c.id, level).where(t.unit.c.id == unit).cte("below", recursive=True)
    deeper = select(t.unit.c.id, below.c.level + 1).where(t.unit.c.parent_id == below.c.id)
    below = below.union_all(deeper)
    return int(await connection.scalar(select(func.max(below.c.level))) or 0)
