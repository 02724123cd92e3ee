"""The one place where HTTP asks the table of rights."""

from __future__ import annotations

from typing import Any

from groups.model import Agency, User
from groups.policy import Act, audited, may
from groups.reach import Target
from groups.rights import ADMINISTRATORS
from groups.vocabulary import DeviceId, GroupId, Refusal, UnitId, UserId
from poc_server.api.problems import documented
from poc_server.api.services import Caller, Services
from poc_server.api.shapes import Body
from poc_server.ground.refused import Refused
from poc_server.store import Device


def ruled(act: Act, *codes: int, done_at_once: type[Body] | None = None) -> dict[str, Any]:
    """What a route says of itself: the act the table decides on, and its refusals. Used as ``**ruled(…)``.

    ``done_at_once``: what it answers with 202 where it is done while the database is away.
    """
    answers = documented(401, 403, 422, 503, *codes)
    if done_at_once is not None:
        answers[202] = {"model": done_at_once, "description": "Done; the database, which is away, will learn it"}
    return {"openapi_extra": {"x-act": act.value}, "responses": answers}


def allow(services: Services, caller: Caller, act: Act, target: Target) -> None:
    """Go on when the table lets the caller do ``act`` to ``target``; else refuse, and keep the attempt in the audit."""
    refusal = may(act, caller.user, target, services.directory)
    if refusal is None:
        return
    if audited(act):
        detail = {"act": act.value, "code": refusal.value}
        kind = type(target).__name__.lower()
        services.audit(caller.actor, "refused", kind, target.id, detail)
    raise Refused(refusal)


def own_agency(services: Services, caller: Caller) -> Agency:
    """The agency of the caller, as a target."""
    return services.directory.agency(caller.user.agency) or Agency(caller.user.agency, "")


def person_act(person: User) -> Act:
    """Who may change a person: the system administrator; an administrator only by the one who gives out roles.

    Else whoever resets passwords could become any administrator.
    """
    return Act.ASSIGN_ROLES if person.roles & ADMINISTRATORS else Act.ADMINISTER_PEOPLE


def person(services: Services, caller: Caller, user: str, act: Act | None = None) -> User:
    """The user with that id, to whom the caller may do ``act`` (None: change him). Raises `Refused`."""
    found = services.directory.user(UserId(user))
    if found is None:
        raise Refused(Refusal.UNKNOWN_USER)
    allow(services, caller, person_act(found) if act is None else act, found)
    return found


def unit(services: Services, caller: Caller, name: str, act: Act) -> UnitId:
    """The unit with that id, to which the caller may do ``act``. Raises `Refused`."""
    found = services.directory.unit(UnitId(name))
    if found is None:
        raise Refused(Refusal.NOT_FOUND, "unit")
    allow(services, caller, act, found)
    return found.id


def group(services: Services, caller: Caller, name: str, act: Act) -> GroupId:
    """The group with that id, to which the caller may do ``act``. Raises `Refused`."""
    found = services.directory.group(GroupId(name))
    if found is None:
        raise Refused(Refusal.UNKNOWN_GROUP)
    allow(services, caller, act, found)
    return found.id


def device(services: Services, caller: Caller, name: str, act: Act | None) -> Device:
    """The device with that id; ``act`` (None: nothing) is asked of its owner, or of the agency when nobody owns it."""
    found = services.directory.device(DeviceId(name))
    if found is None or found.agency != caller.user.agency:
        raise Refused(Refusal.NOT_FOUND, "device")
    if act is None:
        return found
    owner = services.directory.user(found.user) if found.user is not None else None
    if owner is None:
        allow(services, caller, Act.ADMINISTER_DEVICES, own_agency(services, caller))
    else:
        allow(services, caller, act, owner)
    return found


def colleagues(services: Services, caller: Caller, act: Act) -> None:
    """Go on when the caller may do ``act`` to others of his own agency and unit."""
    others = User(UserId(""), caller.user.agency, caller.user.unit, "", frozenset())
    allow(services, caller, act, others)
