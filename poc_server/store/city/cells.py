"""Grid cells (万米单元网格): 15 digits, the unit and the supervisor responsible, an outline on the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, Refusal, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.ids import clean
from poc_server.store.sql.lookup import holds, unit_of_agency

CODE_DIGITS = 15
"""6 of the district, 3 of the street, 3 of the community, 3 of the cell (GB/T 30428)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. ``outline``: ring of (longitude, latitude) in ``datum``, may be empty."""

    agency: AgencyId
    code: str
    name: str
    unit: UnitId
    user: UserId | None = None
    outline: tuple[tuple[float, float], ...] = field(default=())
    datum: str = "WGS-84"


async def put_cells(change: Change, cells: Sequence[Cell]) -> None:
    """Add cells or change those that are there, at most some hundred, each once.

    Refuses strangers (not_found) and wrong codes (bad_message).
    """
    if not cells:
        return
    connection = change.connection
    if any(len(each.code) != CODE_DIGITS or not (each.code.isascii() and each.code.isdigit()) for each in cells):
        raise Refused(Refusal.BAD_MESSAGE, "code")
    for agency, unit in {(each.agency, each.unit) for each in cells}:
        await unit_of_agency(connection, agency, unit)
    responsible = {(each.user, each.agency) for each in cells if each.user is not None}
    mine = tuple_(t.user.c.id, t.user.c.agency_id).in_(sorted(responsible))
    if responsible and await connection.scalar(select(func.count()).where(mine)) != len(responsible):
        raise Refused(Refusal.NOT_FOUND, "user")
    keys = [(each.agency, each.code) for each in cells]
    await connection.execute(delete(t.cell).where(tuple_(t.cell.c.agency_id, t.cell.c.code).in_(keys)))
    await connection.execute(insert(t.cell), [{**_columns(each), "version": change.version} for each in cells])
    for each in cells:
        change.note("cell", each.code)
        change.record("cell.put", "cell", each.code, {"name": each.name, "unit": each.unit, "user": each.user})


async def delete_cell(change: Change, agency: AgencyId, code: str, expected: int | None = None) -> None:
    """Delete a cell. Refuses one that is not there (not_found), and an older ``expected`` version (stale)."""
    row = await cell_row(change.connection, agency, code)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "cell")
    if expected is not None and row.version != expected:
        raise Refused(Refusal.STALE, "cell")
    await change.connection.execute(delete(t.cell).where(_this(agency, code)))
    change.note("cell", code)
    change.record("cell.delete", "cell", code, {}, agency)


async def cell_row(connection: AsyncConnection, agency: AgencyId, code: str) -> Row[Any] | None:
    """The row of a cell."""
    return (await connection.execute(select(t.cell).where(_this(agency, code)))).one_or_none()


async def cells_page(
    connection: AsyncConnection, agency: AgencyId, limit: int, *, text: str = "", after: str = ""
) -> tuple[list[Row[Any]], int]:
    """Cells by code after the given one, and how many there are in all."""
    conditions = [t.cell.c.agency_id == agency]
    if text:
        conditions.append(holds(t.cell.c.name, text) | holds(t.cell.c.code, text))
    total = await connection.scalar(select(func.count()).select_from(t.cell).where(*conditions))
    query = select(t.cell).where(*conditions, t.cell.c.code > after).order_by(t.cell.c.code).limit(limit)
    return list((await connection.execute(query)).all()), int(total or 0)


def _this(agency: AgencyId, code: str) -> Any:
    return (t.cell.c.agency_id == agency) & (t.cell.c.code == code)


def _columns(each: Cell) -> dict[str, Any]:
    return {
        "agency_id": each.agency,
        "code": each.code,
        "name": clean(each.name),
        "unit_id": each.unit,
        "user_id": each.user,
        "outline": [list(point) for point in each.outline],
        "datum": each.datum,
    }
