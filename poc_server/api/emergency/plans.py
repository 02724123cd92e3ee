"""Saved plans (应急方案); a plan is run over the WebSocket by ``plan_run``."""

from __future__ import annotations

from fastapi import Response

from groups.policy import Act
from groups.vocabulary import Refusal, UnitId
from poc_server.api import rights
from poc_server.api.emergency.alerts import desk_of
from poc_server.api.paging import Expected, tag
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Name, PathId
from poc_server.emergency.plans import Planned, may_see, planned
from poc_server.ground.refused import Refused
from poc_server.store import plans
from poc_server.store.plans import Plan

router = routes_of("emergencies", "/plans")


class PlanIn(Body):
    """What a plan shall be. ``unit``: whose it is, one's own when left out."""

    name: Name
    unit: str | None = None
    starts: Planned


class PlanOut(Body):
    """A plan."""

    id: str
    name: str
    unit: str
    starts: Planned
    version: int


@router.get("", responses=documented(401, 403, 503))
async def list_plans(caller: SignedInCaller, services: Use) -> list[PlanOut]:
    """Plans of one's own unit and those below, by name."""
    desk = desk_of(services)
    async with services.store.reading() as connection:
        found = await plans.plans_of(connection, caller.user.agency)
    return [_shown(plan) for plan in found if may_see(desk, caller.user, plan)]


@router.post("", status_code=201, responses=documented(401, 403, 404, 409, 422, 503))
async def create_plan(body: PlanIn, caller: SignedInCaller, services: Use, response: Response) -> PlanOut:
    """A new plan."""
    unit = _unit(services, caller, body)
    async with services.store.reading() as connection:
        if len(await plans.plans_of(connection, caller.user.agency)) >= plans.MAX_PLANS:
            raise Refused(Refusal.TOO_MANY, f"at most {plans.MAX_PLANS}")
    async with services.store.change(caller.actor) as change:
        content = body.starts.model_dump(mode="json")
        made = await plans.create_plan(change, caller.user.agency, unit, body.name, content)
    return _tagged(await _found(services, caller, made), response)


@router.put("/{plan}", responses=documented(401, 403, 404, 412, 422, 428, 503))
async def update_plan(
    plan: PathId, body: PlanIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> PlanOut:
    """Change a plan."""
    await _found(services, caller, plan)
    unit = _unit(services, caller, body)
    async with services.store.change(caller.actor) as change:
        await plans.update_plan(change, plan, unit, body.name, body.starts.model_dump(mode="json"), expected)
    return _tagged(await _found(services, caller, plan), response)


@router.delete("/{plan}", status_code=204, responses=documented(401, 403, 404, 412, 428, 503))
async def delete_plan(plan: PathId, caller: SignedInCaller, services: Use, expected: Expected) -> Response:
    """Delete a plan."""
    await _found(services, caller, plan)
    async with services.store.change(caller.actor) as change:
        await plans.delete_plan(change, plan, expected)
    return Response(status_code=204)


def _unit(services: Services, caller: Caller, body: PlanIn) -> UnitId:
    found = services.directory.unit(UnitId(body.unit or caller.user.unit))
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "unit")
    rights.allow(services, caller, Act.KEEP_PLANS, found)
    return found.id


async def _found(services: Services, caller: Caller, plan: str) -> Plan:
    async with services.store.reading() as connection:
        found = await plans.find_plan(connection, plan)
    if found is None or not may_see(desk_of(services), caller.user, found):
        raise Refused(Refusal.NOT_FOUND, "plan")
    return found


def _tagged(plan: Plan, response: Response) -> PlanOut:
    tag(response, plan.version)
    return _shown(plan)


def _shown(plan: Plan) -> PlanOut:
    starts = planned.validate_python(plan.content)
    return PlanOut(id=plan.id, name=plan.name, unit=plan.unit, starts=starts, version=plan.version)
