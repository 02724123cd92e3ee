"""How long recordings stay, what a legal hold keeps, and deletion on request: for those who rule over retention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from groups.policy import Act
from groups.vocabulary import AgencyId, GroupId, IncidentCode, Refusal, UserId
from poc_server.api.paging import Expected, IfMatch, check_seen, tag
from poc_server.api.records.recordings import Recorded
from poc_server.api.rights import allow, own_agency, ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Name
from poc_server.ground.refused import Refused
from poc_server.store.bridge.incidents import group_of
from poc_server.store.records import keeping
from poc_server.store.records import recordings as query
from poc_server.store.records.keeping import Hold, HoldKind, Rule
from signaling.limits import MAX_DAYS_KEPT, MAX_REASON_CHARS

router = routes_of("retention")

LEAST_DAYS = 180
"""网络安全法 §21 asks for six months."""
Reason = Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARS)]


class RuleOut(Body):
    """How many days what was said in a group, or for an incident, is kept; null: for ever.

    ``target_name`` is what the group or case is or was called. ``version`` is for ``If-Match``.
    """

    kind: HoldKind
    target: str
    target_name: str
    days: int | None
    set_by: str | None
    set_by_name: str
    set_ms: int
    version: int


class TermsOut(Body):
    """How many days what no rule speaks of is kept; of an incident null is for ever."""

    days: int
    incident_days: int | None
    least_days: int


class RuleIn(Body):
    """Days to keep; null: for ever."""

    days: Annotated[int, Field(ge=LEAST_DAYS, le=MAX_DAYS_KEPT)] | None


class HoldOut(Body):
    """A legal hold. ``from_ms`` and ``until_ms`` bound what was said; null is no bound."""

    id: str
    kind: HoldKind
    target: str
    target_name: str
    from_ms: int | None
    until_ms: int | None
    reason: str
    begun_by: str | None
    begun_by_name: str
    begun_ms: int


class HoldIn(Body):
    """A legal hold to begin."""

    kind: HoldKind
    target: Name
    reason: Reason
    from_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None
    until_ms: Annotated[int, Field(ge=0, le=2**53)] | None = None


class WhyIn(Body):
    """Why something is deleted or released; stands in the audit and on the tombstone."""

    reason: Reason


def ruling(caller: Caller, services: Services) -> AgencyId:
    """The agency over whose retention the caller rules. Refuses (not_allowed), and audits, one who does not."""
    agency = own_agency(services, caller)
    allow(services, caller, Act.RULE_RETENTION, agency)
    return agency.id


@router.get("/retention/terms", **ruled(Act.RULE_RETENTION))
async def terms(caller: SignedInCaller, services: Use, recorded: Recorded) -> TermsOut:
    """How long what no rule speaks of is kept, and the least that a rule may say."""
    ruling(caller, services)
    days = services.store.settings.retention.burst_days
    return TermsOut(days=days, incident_days=recorded.settings.incident_days, least_days=LEAST_DAYS)


@router.get("/retention/rules", **ruled(Act.RULE_RETENTION))
async def rules(caller: SignedInCaller, services: Use) -> list[RuleOut]:
    """What is kept for how long, where it is not the default."""
    agency = ruling(caller, services)
    async with services.store.reading() as connection:
        rows = await keeping.rules(connection, agency)
        names = await _names(connection, agency, rows)
    return [
        RuleOut(
            kind=row.kind,
            target=row.target,
            target_name=_name_of(services, agency, row, names),
            days=row.days,
            set_by=row.set_by,
            set_by_name=_person(services, row.set_by),
            set_ms=row.set_ms,
            version=row.version,
        )
        for row in rows
    ]


@router.put("/retention/rules/{kind}/{target}", status_code=204, **ruled(Act.RULE_RETENTION, 409, 412))
async def set_rule(
    caller: SignedInCaller, services: Use, kind: HoldKind, target: Name, rule: RuleIn, if_match: IfMatch = None
) -> Response:
    """Say how long what was said in a group, or for an incident, is kept; with ``If-Match``, change what was said."""
    agency = ruling(caller, services)
    async with services.store.change(caller.actor) as change:
        check_seen(await keeping.rule_row(change.connection, agency, kind, target), if_match, "rule")
        await keeping.set_rule(change, agency, Rule(kind, target, rule.days))
    response = Response(status_code=204)
    tag(response, change.version)
    return response


@router.delete("/retention/rules/{kind}/{target}", status_code=204, **ruled(Act.RULE_RETENTION, 404, 412, 428))
async def drop_rule(
    caller: SignedInCaller, services: Use, kind: HoldKind, target: Name, expected: Expected
) -> Response:
    """Let the default hold again."""
    agency = ruling(caller, services)
    async with services.store.change(caller.actor) as change:
        await keeping.drop_rule(change, agency, kind, target, expected)
    return Response(status_code=204)


@router.get("/retention/holds", **ruled(Act.RULE_RETENTION))
async def holds(caller: SignedInCaller, services: Use) -> list[HoldOut]:
    """The legal holds that are in force."""
    agency = ruling(caller, services)
    async with services.store.reading() as connection:
        return await _held(services, connection, agency, await keeping.holds(connection, agency))


@router.post("/retention/holds", status_code=201, **ruled(Act.RULE_RETENTION))
async def begin_hold(caller: SignedInCaller, services: Use, asked: HoldIn) -> HoldOut:
    """Keep something until it is released, whatever the rules say."""
    agency = ruling(caller, services)
    hold = Hold(asked.kind, asked.target, asked.reason, asked.from_ms, asked.until_ms)
    async with services.store.change(caller.actor) as change:
        made = await keeping.begin_hold(change, agency, hold)
        begun = [row for row in await keeping.holds(change.connection, agency) if row.id == made]
        (shown,) = await _held(services, change.connection, agency, begun)
    return shown


@router.post("/retention/holds/{hold}/release", status_code=204, **ruled(Act.RULE_RETENTION, 404))
async def end_hold(caller: SignedInCaller, services: Use, hold: Id, why: WhyIn) -> Response:
    """Release a hold."""
    agency = ruling(caller, services)
    async with services.store.change(caller.actor) as change:
        await keeping.end_hold(change, agency, hold, why.reason)
    return Response(status_code=204)


@router.post("/recordings/{recording}/deletion", status_code=204, **ruled(Act.RULE_RETENTION, 404, 409))
async def delete(caller: SignedInCaller, services: Use, recorded: Recorded, recording: Id, why: WhyIn) -> Response:
    """Delete one recording; its tombstone stays in the evidence chain. Refuses (conflict) what a legal hold keeps."""
    agency = ruling(caller, services)
    async with services.store.reading() as connection:
        row = await query.any_one(connection, recording)
    if row is None or row.agency_id != agency:
        raise Refused(Refusal.NOT_FOUND, "recording")
    if not await recorded.deletion.delete(row, caller.actor, why.reason):
        raise Refused(Refusal.CONFLICT, "a legal hold keeps it")
    return Response(status_code=204)


@router.post("/materials/{material}/deletion", status_code=204, **ruled(Act.RULE_RETENTION, 404, 409))
async def delete_material(
    caller: SignedInCaller, services: Use, recorded: Recorded, material: Id, why: WhyIn
) -> Response:
    """Delete one photo or note; its tombstone stays in the evidence chain. Refuses (conflict) what a legal hold keeps.

    A hold on one photo is of kind ``recording``, its target the photo.
    """
    agency = ruling(caller, services)
    async with services.store.reading() as connection:
        row = await keeping.material(connection, material)
    if row is None or row.agency_id != agency:
        raise Refused(Refusal.NOT_FOUND, "material")
    if not await recorded.deletion.delete(row, caller.actor, why.reason):
        raise Refused(Refusal.CONFLICT, "a legal hold keeps it")
    return Response(status_code=204)


async def _held(services: Services, connection: Any, agency: AgencyId, rows: Sequence[Any]) -> list[HoldOut]:
    names = await _names(connection, agency, rows)
    return [
        HoldOut(
            id=row.id,
            kind=row.kind,
            target=row.target,
            target_name=_name_of(services, agency, row, names),
            from_ms=row.from_ms,
            until_ms=row.until_ms,
            reason=row.reason,
            begun_by=row.begun_by,
            begun_by_name=_person(services, row.begun_by),
            begun_ms=row.begun_ms,
        )
        for row in rows
    ]


def _group(agency: AgencyId, row: Any) -> GroupId | None:
    if row.kind == HoldKind.INCIDENT:
        return group_of(agency, IncidentCode(row.target))
    return GroupId(row.target) if row.kind == HoldKind.GROUP else None


async def _names(connection: Any, agency: AgencyId, rows: Sequence[Any]) -> dict[GroupId, str]:
    """What the groups and cases are or were called that these rows speak of."""
    return await query.group_names(connection, {group for row in rows if (group := _group(agency, row)) is not None})


def _name_of(services: Services, agency: AgencyId, row: Any, names: Mapping[GroupId, str]) -> str:
    if row.kind == HoldKind.USER:
        return _person(services, row.target)
    group = _group(agency, row)
    return names.get(group, "") if group is not None else ""


def _person(services: Services, user: str | None) -> str:
    found = services.directory.user(UserId(user)) if user is not None else None
    return found.name if found is not None else ""
