"""CSV in, with a dry run that says what would change, and out. With one mistake in it, nothing of a file is applied."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from typing import Annotated

from fastapi import Query, Request
from fastapi.responses import StreamingResponse

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import Refusal
from poc_server.api import rights
from poc_server.api.body import LARGER
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body
from poc_server.ground.refused import Refused
from poc_server.store import Device, sheets
from poc_server.store.sheets import Import, Sheet

router = routes_of("import and export", "/sheets")
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
    """What a file would do, or did. ``changes`` and ``mistakes`` show the first 200; counts are of all.

    ``applied``: all of it stands. ``written``: lines that stand by it; ``stopped``: why the others do not, where the
    database went away or somebody else came between. The same file again does what is left.
    """

    applied: bool
    written: int = 0
    stopped: Refusal | None = None
    create: int
    update: int
    unchanged: int
    wrong: int
    changes: list[LineOut]
    mistakes: list[MistakeOut]


_CSV = {"text/csv": {"schema": {"type": "string"}}}


@router.post(
    "/{kind}",
    responses=documented(401, 403, 409, 412, 422, 503),
    openapi_extra={"requestBody": {"content": _CSV, "required": True}},
)
async def import_sheet(
    kind: Kind,
    request: Request,
    caller: SignedInCaller,
    services: Use,
    dry_run: Annotated[bool, Query(description="Only say what would change")] = True,
) -> PlanOut:
    """Read a CSV file. With one mistake in it, nothing is applied; others write between its lines."""

    def make() -> Sheet:
        return _sheet(services, _as_now(services, caller), kind)

    make()  # who may not is refused before his file is read
    data = await request.body()
    if dry_run:
        return _out(Import(await sheets.dry_run(services.store, make, data)), dry_run=True)
    return _out(await sheets.carry_out(services.store, caller.actor, kind.value, make, data))


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
    services.audit(caller.actor, "sheet.export", "sheet", kind.value)
    headers = {"content-disposition": f'attachment; filename="{kind.value}.csv"'}
    return StreamingResponse(sheets.export(sheet), media_type="text/csv; charset=utf-8", headers=headers)


def _as_now(services: Services, caller: Caller) -> Caller:
    """Who imports, with the rights he has by now."""
    user = services.directory.user(caller.user.id)
    if user is None:
        raise Refused(Refusal.BAD_TOKEN)
    return dataclasses.replace(caller, user=user)


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
            return sheets.DutySheet(snapshot, agency, services.store.clock())


def _may(services: Services, caller: Caller, person: User, act: Act | None = None) -> bool:
    return may(act or rights.person_act(person), caller.user, person, services.directory) is None


def _may_disable(services: Services, caller: Caller, device: Device) -> bool:
    owner = None if device.user is None else services.directory.user(device.user)
    target = rights.own_agency(services, caller) if owner is None else owner
    act = Act.ADMINISTER_DEVICES if owner is None else Act.DISABLE_DEVICE
    return may(act, caller.user, target, services.directory) is None


def _out(done: Import, *, dry_run: bool = False) -> PlanOut:
    plan = done.plan
    changes = [each for each in plan.verdicts if each.verb != "unchanged"][:MAX_TOLD]
    return PlanOut(
        applied=done.applied and not dry_run,
        written=done.written,
        stopped=None if done.stopped is None else done.stopped.code,
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
