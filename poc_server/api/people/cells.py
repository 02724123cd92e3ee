"""Grid cells (万米单元网格): the unit and the person responsible for each, and its outline on the map."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import Field

from groups.policy import Act
from groups.vocabulary import AgencyId, Refusal, UnitId, UserId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Expected, IfMatch, Limit, Search, check_seen, following, keys_of, tag
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Line
from poc_server.ground.refused import Refused
from poc_server.store.city import cells

router = routes_of("units", "/cells")
MAX_OUTLINE = 500
CellCode = Annotated[str, Path(pattern=r"^[0-9]{15}$", description="District 6, street 3, community 3, cell 3 digits")]
Degrees = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]


class CellIn(Body):
    """A grid cell. ``outline``: ring of (longitude, latitude)."""

    name: Line = ""
    unit: Id
    user: Id | None = None
    outline: Annotated[tuple[tuple[Degrees, Degrees], ...], Field(max_length=MAX_OUTLINE)] = ()
    datum: Literal["WGS-84", "GCJ-02", "CGCS2000"] = "WGS-84"


class CellOut(Body):
    """A grid cell and who is responsible for it."""

    code: str
    name: str
    unit: str
    user: str | None
    user_name: str | None
    outline: list[tuple[float, float]]
    datum: str
    version: int


class CellsPage(Body):
    """One page of cells."""

    items: list[CellOut]
    total: int
    next: str | None = None


@router.get("", responses=documented(401, 403, 422, 503))
async def list_cells(
    caller: SignedInCaller, services: Use, q: Search = "", limit: Limit = 100, after: Cursor = ""
) -> CellsPage:
    """Cells of one's own agency by code."""
    keys = keys_of(after, 1)
    async with services.store.reading() as connection:
        rows, total = await cells.cells_page(
            connection, caller.user.agency, limit, text=q.replace("\x00", ""), after=keys[0] if keys else ""
        )
    items = [_out(services, row) for row in rows]
    return CellsPage(items=items, total=total, next=following(rows, limit, lambda row: (row.code,)))


@router.get("/{code}", responses=documented(401, 403, 404, 422, 503))
async def get_cell(code: CellCode, caller: SignedInCaller, services: Use, response: Response) -> CellOut:
    """One cell of one's own agency."""
    return await _shown(services, caller.user.agency, code, response)


@router.put("/{code}", **ruled(Act.ADMINISTER_UNITS, 404, 409, 412))
async def put_cell(
    code: CellCode, body: CellIn, caller: SignedInCaller, services: Use, response: Response, if_match: IfMatch = None
) -> CellOut:
    """Add a cell; with ``If-Match``, change the one that is there."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.ADMINISTER_UNITS, agency)
    user = None if body.user is None else UserId(body.user)
    made = cells.Cell(agency.id, code, body.name, UnitId(body.unit), user, body.outline, body.datum)
    async with services.store.change(caller.actor) as change:
        check_seen(await cells.cell_row(change.connection, agency.id, code), if_match, "cell")
        await cells.put_cells(change, [made])
    return await _shown(services, agency.id, code, response)


@router.delete("/{code}", status_code=204, **ruled(Act.ADMINISTER_UNITS, 404, 412, 428))
async def delete_cell(code: CellCode, caller: SignedInCaller, services: Use, expected: Expected) -> Response:
    """Delete a cell."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.ADMINISTER_UNITS, agency)
    async with services.store.change(caller.actor) as change:
        await cells.delete_cell(change, agency.id, code, expected)
    return Response(status_code=204)


async def _shown(services: Services, agency: AgencyId, code: str, response: Response) -> CellOut:
    async with services.store.reading() as connection:
        row = await cells.cell_row(connection, agency, code)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "cell")
    tag(response, row.version)
    return _out(services, row)


def _out(services: Services, row: Any) -> CellOut:
    keeper = None if row.user_id is None else services.directory.user(row.user_id)
    return CellOut(
        code=row.code,
        name=row.name,
        unit=row.unit_id,
        user=row.user_id,
        user_name=None if keeper is None else keeper.name,
        outline=row.outline,
        datum=row.datum,
        version=row.version,
    )
