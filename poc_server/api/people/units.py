"""The tree of units."""

from __future__ import annotations

from fastapi import Response

from groups.policy import Act
from groups.vocabulary import Refusal, UnitId
from poc_server.api import rights
from poc_server.api.paging import Expected, tag
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Name, PathId
from poc_server.ground.refused import Refused
from poc_server.store.city import units

router = routes_of("units", "/units")


class UnitIn(Body):
    """A unit; without ``parent`` it is a root."""

    name: Name
    parent: Id | None = None


class UnitOut(Body):
    """A unit of one's own agency."""

    id: str
    name: str
    parent: str | None
    version: int | None = None


@router.get("", responses=documented(401, 403))
async def list_units(caller: SignedInCaller, services: Use) -> list[UnitOut]:
    """All units of one's own agency."""
    own = [unit for unit in services.directory.snapshot.units.values() if unit.agency == caller.user.agency]
    return [UnitOut(id=unit.id, name=unit.name, parent=unit.parent) for unit in sorted(own, key=lambda unit: unit.id)]


@router.post("", status_code=201, **ruled(Act.ADMINISTER_UNITS, 404, 409))
async def create_unit(body: UnitIn, caller: SignedInCaller, services: Use, response: Response) -> UnitOut:
    """A new unit."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.ADMINISTER_UNITS, agency)
    async with services.store.change(caller.actor) as change:
        made = await units.create_unit(change, agency.id, _parent(body), body.name)
    response.headers["location"] = f"/api/v1/units/{made}"
    return await _shown(services, made, response)


@router.get("/{unit}", responses=documented(401, 403, 404, 422, 503))
async def get_unit(unit: PathId, caller: SignedInCaller, services: Use, response: Response) -> UnitOut:
    """One unit of one's own agency."""
    found = services.directory.unit(UnitId(unit))
    if found is None or found.agency != caller.user.agency:
        raise Refused(Refusal.NOT_FOUND, "unit")
    return await _shown(services, found.id, response)


@router.put("/{unit}", **ruled(Act.ADMINISTER_UNITS, 404, 409, 412, 428))
async def update_unit(
    unit: PathId, body: UnitIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> UnitOut:
    """Rename or move a unit."""
    found = rights.unit(services, caller, unit, Act.ADMINISTER_UNITS)
    async with services.store.change(caller.actor) as change:
        await units.update_unit(change, found, name=body.name, parent=_parent(body), expected=expected)
    return await _shown(services, found, response)


@router.delete("/{unit}", status_code=204, **ruled(Act.ADMINISTER_UNITS, 404, 409, 412, 428))
async def delete_unit(unit: PathId, caller: SignedInCaller, services: Use, expected: Expected) -> Response:
    """Delete an empty unit."""
    found = rights.unit(services, caller, unit, Act.ADMINISTER_UNITS)
    async with services.store.change(caller.actor) as change:
        await units.delete_unit(change, found, expected)
    return Response(status_code=204)


def _parent(body: UnitIn) -> UnitId | None:
    return None if body.parent is None else UnitId(body.parent)


async def _shown(services: Services, unit: UnitId, response: Response) -> UnitOut:
    async with services.store.reading() as connection:
        row = await units.unit_row(connection, unit)
    if row is None:
        raise Refused(Refusal.NOT_FOUND, "unit")
    tag(response, row.version)
    return UnitOut(id=row.id, name=row.name, parent=row.parent_id, version=row.version)
