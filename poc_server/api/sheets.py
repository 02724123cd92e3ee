"""CSV in, with a dry run that says what would change, and out. All of a file is applied, or nothing."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import StreamingResponse

from groups.model import User
from groups.policy import Act, may
from poc_server.api import rights
from poc_server.api.body import LARGER
from poc_server.api.problems import documented
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.store import Device, audit, sheets
from poc_server.store.ids import now_ms
from poc_server.store.sheets import Plan, Sheet

router = APIRouter(prefix="/sheets", tags=["import and export"])
MAX_SHEET_BYTES = 5_000_000
MAX_TOLD = 200
"""Changes and mistakes shown of each; the counts are of all."""


class Kind(StrEnum):
    """What a file is about."""

    PEOPLE = "people"
    ROLES = "roles"
    UNITS = "units"
    GROUPS = "groups"
    MEMBERS = "members"
    DEVICES = "devices"
    CELLS = "cells"
    DUTY = "duty"


ACTS = {
    Kind.PEOPLE: Act.ADMINISTER_PEOPLE,
    Kind.ROLES: Act.ASSIGN_ROLES,
    Kind.UNITS: Act.ADMINISTER_UNITS,
    Kind.GROUPS: Act.ADMINISTER_GROUPS,
    Kind.MEMBERS: Act.ADMINISTER_GROUPS,
    # Two administrators share it: one names devices, the other disables them; each line asks.
    Kind.DEVICES: Act.SEE_DEVICES,
    Kind.CELLS: Act.ADMINISTER_UNITS,
    # A file is about the whole agency, so it asks for the right that plans duty in all of it.
    Kind.DUTY: Act.ADMINISTER_PEOPLE,
}
LARGER.update({f"/api/v1/sheets/{kind}": MAX_SHEET_BYTES for kind in Kind})


class LineOut(Body):
    """What one line would do; ``differences``: column → [as it is, as it shall be]."""

    line: int
    verb: str
    differences: dict[str, tuple[str, str]]


class MistakeOut(Body):
    """A cell that is wrong, and how."""

    line: int
    column: str
    problem: str
    value: str


class PlanOut(Body):
    """What a file would do, or did. ``changes`` and ``mistakes`` show the first 200; counts are of all."""

    applied: bool
    create: int
    update: int
    unchanged: int
    wrong: int
    changes: list[LineOut]
    mistakes: list[MistakeOut]


_CSV = {"text/csv": {"schema": {"type": "string"}}}


@router.post(
    "/{kind}",
    responses=documented(401, 403, 409, 422, 503),
    openapi_extra={"requestBody": {"content": _CSV, "required": True}},
)
async def import_sheet(
    kind: Kind,
    request: Request,
    caller: SignedInCaller,
    services: Use,
    dry_run: Annotated[bool, Query(description="Only say what would change")] = True,
) -> PlanOut:
    """Read a CSV file. With one mistake in it, nothing is applied."""
    sheet = _sheet(services, caller, kind)
    data = await request.body()
    async with services.store.reading() as connection:
        await sheet.prepare(connection)
    plan = await sheets.judge(sheet, data)
    applied = not dry_run and not plan.mistakes
    if applied:
        async with services.store.change(caller.actor) as change:
            await sheets.apply(sheet, change, plan)
            counted = {"create": plan.count("create"), "update": plan.count("update")}
            change.record("sheet.import", "sheet", kind.value, counted)
    return _out(plan, applied)


@router.get(
    "/{kind}",
    responses={**documented(401, 403, 422, 503), 200: {"content": _CSV, "description": "CSV, UTF-8 with mark"}},
    response_class=StreamingResponse,
)
async def export_sheet(kind: Kind, caller: SignedInCaller, services: Use) -> StreamingResponse:
    """All there is, as a file that importing would find unchanged."""
    sheet = _sheet(services, caller, kind)
    async with services.store.reading() as connection:
        await sheet.prepare(connection)
    services.store.journal.audit(audit.entry(caller.actor, now_ms(), "sheet.export", "sheet", kind.value))
    headers = {"content-disposition": f'attachment; filename="{kind.value}.csv"'}
    return StreamingResponse(sheets.export(sheet), media_type="text/csv; charset=utf-8", headers=headers)


def _sheet(services: Services, caller: Caller, kind: Kind) -> Sheet:
    if kind is Kind.ROLES:
        rights.colleagues(services, caller, ACTS[kind])
    else:
        rights.allow(services, caller, ACTS[kind], rights.own_agency(services, caller))
    snapshot, agency = services.directory.snapshot, caller.user.agency
    match kind:
        case Kind.PEOPLE:
            return sheets.PeopleSheet(snapshot, agency, lambda person: _may(services, caller, person))
        case Kind.ROLES:
            return sheets.RolesSheet(snapshot, agency, lambda person: _may(services, caller, person, Act.ASSIGN_ROLES))
        case Kind.UNITS:
            return sheets.UnitsSheet(snapshot, agency)
        case Kind.GROUPS:
            return sheets.GroupsSheet(snapshot, agency)
        case Kind.MEMBERS:
            return sheets.MembersSheet(snapshot, agency)
        case Kind.DEVICES:
            mine = rights.own_agency(services, caller)
            names = may(Act.ADMINISTER_DEVICES, caller.user, mine, services.directory) is None
            return sheets.DevicesSheet(snapshot, agency, names, lambda device: _may_disable(services, caller, device))
        case Kind.CELLS:
            return sheets.CellsSheet(snapshot, agency)
        case Kind.DUTY:
            return sheets.DutySheet(snapshot, agency)


def _may(services: Services, caller: Caller, person: User, act: Act | None = None) -> bool:
    return may(act or rights.person_act(person), caller.user, person, services.directory) is None


def _may_disable(services: Services, caller: Caller, device: Device) -> bool:
    owner = None if device.user is None else services.directory.user(device.user)
    target = rights.own_agency(services, caller) if owner is None else owner
    act = Act.ADMINISTER_DEVICES if owner is None else Act.DISABLE_DEVICE
    return may(act, caller.user, target, services.directory) is None


def _out(plan: Plan, applied: bool) -> PlanOut:
    changes = [each for each in plan.verdicts if each.verb != "unchanged"][:MAX_TOLD]
    return PlanOut(
        applied=applied,
        create=plan.count("create"),
        update=plan.count("update"),
        unchanged=plan.count("unchanged"),
        wrong=len(plan.mistakes),
        changes=[LineOut(line=each.number, verb=each.verb, differences=each.differences) for each in changes],
        mistakes=[
            MistakeOut(line=each.number, column=each.column, problem=each.problem, value=each.value)
            for each in plan.mistakes[:MAX_TOLD]
        ],
    )
