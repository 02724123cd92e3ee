"""Duty shifts: planning them, and who is on duty now."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field, TypeAdapter

from groups.model import User
from groups.policy import Act
from groups.vocabulary import Refusal, UnitId, UserId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Expected, Limit, cursor_of, keys_of, ms_of, tag
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Name, PathId, PersonOut
from poc_server.api.written import listed, listed_as_read, object_of, written
from poc_server.ground.refused import Refused
from poc_server.store import Shift
from poc_server.store.city import duty
from poc_server.store.city.duty import ShiftDraft
from poc_server.store.city.in_order import in_order

router = routes_of("duty", "/shifts")
Ms = Annotated[int, Field(ge=0, le=2**53)]
MAX_PEOPLE = 2_000
WEEK_MS = 7 * 86_400_000


class ShiftIn(Body):
    """A shift of a unit. Times in ms since the epoch."""

    unit: Id
    name: Name
    starts_ms: Ms
    ends_ms: Ms
    users: Annotated[tuple[Id, ...], Field(max_length=MAX_PEOPLE)] = ()


class OnShift(PersonOut):
    """Somebody in a shift; ``unit``: his own, which may be another one than the shift's."""

    unit: str


class ShiftOut(ShiftIn):
    """A shift with its id; ``people`` are its users by name."""

    id: str
    people: list[OnShift]
    version: int


class ShiftsPage(Body):
    """One page of shifts, the earliest first; ``next`` is absent on the last."""

    items: list[ShiftOut]
    next: str | None = None


_SHIFTS, _PEOPLE = TypeAdapter(list[ShiftOut]), TypeAdapter(list[PersonOut])


@router.get("", response_model=ShiftsPage, responses=documented(401, 403, 422, 503))
async def list_shifts(
    caller: SignedInCaller,
    services: Use,
    from_ms: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    until_ms: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    limit: Limit = 100,
    after: Cursor = "",
) -> Response:
    """Shifts of one's own agency that touch a time, the coming week unless said otherwise."""
    since = services.store.clock() if from_ms is None else from_ms
    until = since + WEEK_MS if until_ms is None else until_ms
    async with services.store.reading() as connection:
        found = await duty.shifts_page(connection, caller.user.agency, since, until, limit, _after(after))
    last = found[-1][0] if len(found) == limit else None
    following = None if last is None else cursor_of(str(last.starts_ms), last.id)
    shown = (await _out(services, row, users) for row, users in found)
    return object_of({"next": following}, items=await listed_as_read(_SHIFTS, shown, at_once=1))


@router.get("/now", response_model=list[PersonOut], responses=documented(401, 403))
async def on_duty_now(caller: SignedInCaller, services: Use) -> Response:
    """Who of one's own agency is named in a shift that runs now, by pinyin of his name."""
    now = services.store.clock()
    snapshot = services.directory.snapshot
    names = {
        user
        for shift in snapshot.shifts.values()
        if shift.agency == caller.user.agency and shift.runs(now)
        for user in shift.users
    }
    people = await in_order(snapshot.users[user] for user in names if user in snapshot.users)
    return written(await listed(_PEOPLE, people, PersonOut.of))


@router.get("/{shift}", responses=documented(401, 403, 404, 422, 503))
async def get_shift(shift: PathId, caller: SignedInCaller, services: Use, response: Response) -> ShiftOut:
    """One shift of one's own agency, also one that is over."""
    return await _shown(services, caller, shift, response)


@router.post("", status_code=201, **ruled(Act.PLAN_DUTY, 404, 409))
async def create_shift(body: ShiftIn, caller: SignedInCaller, services: Use, response: Response) -> ShiftOut:
    """Plan a shift, of people whose duty one plans."""
    rights.unit(services, caller, body.unit, Act.PLAN_DUTY)
    _allow_people(services, caller, frozenset(body.users))
    async with services.store.change(caller.actor) as change:
        made = await duty.create_shift(change, _draft(body, caller))
    response.headers["location"] = f"/api/v1/shifts/{made}"
    return await _shown(services, caller, made, response)


@router.put("/{shift}", **ruled(Act.PLAN_DUTY, 404, 409, 412, 428))
async def update_shift(
    shift: PathId, body: ShiftIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> ShiftOut:
    """Change a shift. Whoever is in it may stay; who is put in must be somebody whose duty one plans."""
    found = _shift(services, caller, shift)
    rights.unit(services, caller, found.unit, Act.PLAN_DUTY)
    rights.unit(services, caller, body.unit, Act.PLAN_DUTY)
    _allow_people(services, caller, frozenset(body.users) - found.users)
    async with services.store.change(caller.actor) as change:
        await duty.update_shift(change, found.id, _draft(body, caller), expected)
    return await _shown(services, caller, found.id, response)


@router.delete("/{shift}", status_code=204, **ruled(Act.PLAN_DUTY, 404, 412, 428))
async def delete_shift(shift: PathId, caller: SignedInCaller, services: Use, expected: Expected) -> Response:
    """Delete a shift that runs or is to come."""
    found = _shift(services, caller, shift)
    rights.unit(services, caller, found.unit, Act.PLAN_DUTY)
    async with services.store.change(caller.actor) as change:
        await duty.delete_shift(change, found.id, expected)
    return Response(status_code=204)


def _allow_people(services: Services, caller: SignedInCaller, users: frozenset[str]) -> None:
    """A group that follows duty takes in who is named: nobody is named by who does not plan for his unit."""
    for user in sorted(users):
        person = services.directory.user(UserId(user))
        if person is None or person.agency != caller.user.agency:
            raise Refused(Refusal.NOT_FOUND, "user")
        rights.unit(services, caller, person.unit, Act.PLAN_DUTY)


def _after(cursor: str) -> tuple[int, str] | None:
    keys = keys_of(cursor, 2)
    if keys is None:
        return None
    return ms_of(keys[0]), keys[1]


def _draft(body: ShiftIn, caller: SignedInCaller) -> ShiftDraft:
    users = frozenset(UserId(user) for user in body.users)
    return ShiftDraft(caller.user.agency, UnitId(body.unit), body.name, body.starts_ms, body.ends_ms, users)


def _shift(services: Services, caller: SignedInCaller, name: str) -> Shift:
    found = services.directory.snapshot.shifts.get(name)
    if found is None or found.agency != caller.user.agency:
        raise Refused(Refusal.NOT_FOUND, "shift")
    return found


async def _shown(services: Services, caller: SignedInCaller, shift: str, response: Response) -> ShiftOut:
    async with services.store.reading() as connection:
        row, users = await duty.shift_row(connection, shift)
    if row.agency_id != caller.user.agency:
        raise Refused(Refusal.NOT_FOUND, "shift")
    tag(response, row.version)
    return await _out(services, row, users)


async def _out(services: Services, row: Any, users: Iterable[UserId]) -> ShiftOut:
    people = [user for each in users if (user := services.directory.user(each)) is not None]
    return ShiftOut(
        id=row.id,
        unit=row.unit_id,
        name=row.name,
        starts_ms=row.starts_ms,
        ends_ms=row.ends_ms,
        users=tuple(sorted(users)),
        people=[_on_shift(user) for user in await in_order(people)],
        version=row.version,
    )


def _on_shift(user: User) -> OnShift:
    person = PersonOut.of(user)
    return OnShift(id=person.id, name=person.name, badge=person.badge, roles=person.roles, unit=user.unit)
