"""People: listing, finding, creating, changing; their roles, bans, passwords and enrolment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Query, Response
from pydantic import Field

from groups.model import User
from groups.policy import Act, may
from groups.rights import Right, has, may_hold_together
from groups.vocabulary import Refusal, Role, UnitId, UserId, UserKind
from poc_server.api import rights
from poc_server.api.paging import Cursor, Expected, Limit, Search, following, keys_of, tag
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Line, Name, PathId
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store.city import people, without_sql
from poc_server.store.city.in_order import by_pinyin
from poc_server.store.city.people import UserDraft, UserFilter

router = routes_of("people", "/people")


class PersonIn(Body):
    """A person, vehicle or post as an administrator enters it. Roles are given out apart from it."""

    name: Name
    unit: Id
    kind: UserKind = UserKind.PERSON
    badge: Line = ""
    account: Line | None = None
    phone: Line = ""
    enabled: bool = True
    talk_banned: bool | None = None
    """Set only by who may ban that person, too; else, or left out, it stays as it is."""


class PersonRow(Body):
    """A person in a list. ``account``, ``phone`` and ``version`` only for those who administer people."""

    id: str
    name: str
    badge: str
    kind: UserKind
    unit: str
    roles: list[Role]
    enabled: bool
    talk_banned: bool
    account: str | None = None
    phone: str | None = None
    version: int | None = None


class PeoplePage(Body):
    """One page of people; ``next`` is absent on the last."""

    items: list[PersonRow]
    total: int
    next: str | None = None


class RolesIn(Body):
    """All roles a person shall have."""

    roles: list[Role]


class BanIn(Body):
    """Talk ban (禁呼)."""

    banned: bool


class PasswordIn(Body):
    """A new password."""

    password: Annotated[str, Field(min_length=1, max_length=1_024)]


class EnrolmentIn(Body):
    """What the device will be called."""

    device: Line = ""


class EnrolmentOut(Body):
    """Shown once. ``path`` is the page that spends the code."""

    code: str
    path: str
    expires_ms: int


@router.get("", **ruled(Act.SEE_PERSON))
async def list_people(
    caller: SignedInCaller,
    services: Use,
    q: Search = "",
    role: Role | None = None,
    kind: UserKind | None = None,
    enabled: bool | None = None,
    unit: Annotated[str | None, Query(max_length=64, description="This unit and all below")] = None,
    limit: Limit = 50,
    after: Cursor = "",
) -> PeoplePage:
    """People of one's own agency by pinyin. Also while the database is away, for one may have to be disabled."""
    rights.colleagues(services, caller, Act.SEE_PERSON)
    below = None if unit is None else services.directory.unit_subtree(UnitId(unit))
    wanted = UserFilter(caller.user.agency, below, q.replace("\x00", ""), role, kind, enabled)
    keys = keys_of(after, 2)
    begin = (keys[0], keys[1]) if keys else None
    found: list[Any]
    key: Callable[[Any], tuple[str, str]] = _key
    try:
        async with services.store.reading() as connection:
            found, total = await people.users_page(connection, wanted, limit, begin)
        shown = [_row(services, caller.user, row) for row in found]
    except StoreUnavailable:
        found, total = await without_sql.users_page(services.directory.snapshot, wanted, limit, begin)
        shown, key = [_known(user) for user in found], by_pinyin
    items = [each for each in shown if each is not None]
    return PeoplePage(items=items, total=total, next=following(found, limit, key))


@router.post("", status_code=201, **ruled(Act.ADMINISTER_PEOPLE, 404, 409))
async def create_person(body: PersonIn, caller: SignedInCaller, services: Use, response: Response) -> PersonRow:
    """A new person, without roles."""
    rights.allow(services, caller, Act.ADMINISTER_PEOPLE, rights.own_agency(services, caller))
    person = User(UserId(""), caller.user.agency, UnitId(body.unit), body.name, frozenset())
    async with services.store.change(caller.actor) as change:
        user = await people.create_user(change, _draft(services, body, caller.user, person))
    response.headers["location"] = f"/api/v1/people/{user}"
    return await _shown(services, caller.user, user, response)


@router.get("/{user}", **ruled(Act.SEE_PERSON, 404))
async def get_person(user: PathId, caller: SignedInCaller, services: Use, response: Response) -> PersonRow:
    """One person."""
    rights.person(services, caller, user, Act.SEE_PERSON)
    return await _shown(services, caller.user, UserId(user), response)


@router.put("/{user}", **ruled(Act.ADMINISTER_PEOPLE, 404, 409, 412, 428))
async def update_person(
    user: PathId, body: PersonIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> PersonRow:
    """Change a person; roles stay."""
    found = rights.person(services, caller, user)
    async with services.store.change(caller.actor) as change:
        await people.update_user(change, found.id, _draft(services, body, caller.user, found), expected)
    return await _shown(services, caller.user, found.id, response)


@router.delete("/{user}", status_code=204, **ruled(Act.ADMINISTER_PEOPLE, 404, 412, 428))
async def delete_person(user: PathId, caller: SignedInCaller, services: Use, expected: Expected) -> Response:
    """Delete a person; what he said stays, under his name of then."""
    found = rights.person(services, caller, user)
    async with services.store.change(caller.actor) as change:
        await people.delete_user(change, found.id, expected)
    return Response(status_code=204)


@router.put("/{user}/roles", **ruled(Act.ASSIGN_ROLES, 404, 409, 412, 428))
async def assign_roles(
    user: PathId, body: RolesIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> PersonRow:
    """Give a person exactly these roles. Nobody gives roles to himself; one person holds one administrator's role."""
    found = rights.person(services, caller, user, Act.ASSIGN_ROLES)
    wanted = frozenset(body.roles)
    if not may_hold_together(wanted):
        raise Refused(Refusal.CONFLICT, "one administrator's role each")
    async with services.store.change(caller.actor) as change:
        await people.set_roles(change, found.id, wanted, expected)
    return await _shown(services, caller.user, found.id, response)


# Who must be silent now is silenced whatever else was changed meanwhile: no edit, and no version is asked for.
@router.put("/{user}/ban", **ruled(Act.BAN, 404))
async def ban(user: PathId, body: BanIn, caller: SignedInCaller, services: Use, response: Response) -> PersonRow:
    """Ban a person from talking, or lift the ban."""
    found = rights.person(services, caller, user, Act.BAN)
    async with services.store.change(caller.actor) as change:
        await people.set_flags(change, found.id, talk_banned=body.banned)
    return await _shown(services, caller.user, found.id, response)


# So are these: who lost his phone is out now. An edit (PUT) waits for the database.
@router.post("/{user}/disable", **ruled(Act.ADMINISTER_PEOPLE, 404, done_at_once=PersonRow))
async def disable_person(user: PathId, caller: SignedInCaller, services: Use, response: Response) -> PersonRow:
    """Disable a person at once: his connections close, and nobody signs in as him.

    202: done, and the database, which is away, will learn it.
    """
    found = rights.person(services, caller, user)
    if await services.store.shutting_out.disable(caller.actor, "user", found.id):
        return await _shown(services, caller.user, found.id, response)
    response.status_code = 202
    return _known(replace(found, enabled=False))


@router.post("/{user}/enable", **ruled(Act.ADMINISTER_PEOPLE, 404))
async def enable_person(user: PathId, caller: SignedInCaller, services: Use, response: Response) -> PersonRow:
    """Let a disabled person in again."""
    found = rights.person(services, caller, user)
    async with services.store.change(caller.actor) as change:
        await people.set_flags(change, found.id, enabled=True)
    return await _shown(services, caller.user, found.id, response)


@router.put("/{user}/password", status_code=204, **ruled(Act.ADMINISTER_PEOPLE, 404, 412, 428))
async def set_password(
    user: PathId, body: PasswordIn, caller: SignedInCaller, services: Use, expected: Expected
) -> Response:
    """Give a person a new password; all his sessions end."""
    found = rights.person(services, caller, user)
    await services.auth.set_password(caller.actor, found.id, body.password, expected)
    return Response(status_code=204)


@router.post("/{user}/enrolments", status_code=201, **ruled(Act.ADMINISTER_PEOPLE, 404))
async def invite(user: PathId, body: EnrolmentIn, caller: SignedInCaller, services: Use) -> EnrolmentOut:
    """A code with which one device of this person signs in, once."""
    found = rights.person(services, caller, user)
    code, expires_ms = await services.auth.invite(caller.actor, found.id, body.device)
    return EnrolmentOut(code=code, path=f"/enrol/{code}", expires_ms=expires_ms)


def _draft(services: Services, body: PersonIn, caller: User, person: User) -> UserDraft:
    bans = may(Act.BAN, caller, person, services.directory) is None
    return UserDraft(
        agency=caller.agency,
        unit=UnitId(body.unit),
        name=body.name,
        kind=body.kind,
        badge=body.badge,
        account=body.account or None,
        phone=body.phone,
        enabled=body.enabled,
        talk_banned=body.talk_banned if bans else None,
    )


async def _shown(services: Services, viewer: User, user: UserId, response: Response) -> PersonRow:
    async with services.store.reading() as connection:
        row = await people.user_row(connection, user)
    shown = None if row is None else _row(services, viewer, row)
    if row is None or shown is None:
        raise Refused(Refusal.UNKNOWN_USER)
    tag(response, row.version)
    return shown


def _key(row: Any) -> tuple[str, str]:
    return row.sorted_as, row.id


def _row(services: Services, viewer: User, row: Any) -> PersonRow | None:
    user = services.directory.user(row.id)
    if user is None:
        return None
    administers = viewer.agency == user.agency and (has(viewer, Right.PEOPLE) or has(viewer, Right.ROLES))
    private = {"account": row.account, "phone": row.phone, "version": row.version} if administers else {}
    return _known(user).model_copy(update=private)


def _known(user: User) -> PersonRow:
    """What of him is known without the database."""
    return PersonRow(
        id=user.id,
        name=user.name,
        badge=user.badge,
        kind=user.kind,
        unit=user.unit,
        roles=sorted(user.roles),
        enabled=user.enabled,
        talk_banned=user.talk_banned,
    )
