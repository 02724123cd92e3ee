"""Talk groups and their settings."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from groups.calls.rules import CallRules
from groups.floor.options import FloorOptions
from groups.model import Group, User
from groups.policy import Act
from groups.rights import Right, has
from groups.vocabulary import GroupId, GroupKind, Refusal, UnitId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Expected, Limit, Search, cursor_of, keys_of, tag
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, Name, PathId
from poc_server.ground.refused import Refused
from poc_server.store.city import groups
from poc_server.store.city.groups import GroupDraft
from poc_server.store.city.in_order import by_pinyin, in_order
from poc_server.store.city.pinyin import sounds

router = routes_of("groups", "/groups")
Duration = Annotated[int, Field(ge=0, le=3_600_000)]
SEES_ALL = (Right.GROUPS, Right.SHARING, Right.DISPATCH, Right.MONITOR)
"""Any of these shows every group of the agency; others see the groups they are in."""


class FloorIn(Body):
    """Floor options, in ms; each has its default."""

    queueing: bool = True
    queue_limit: Annotated[int, Field(ge=0, le=100)] = 10
    audio_cut_in: bool = False
    dual_floor: bool = False
    end_of_media_ms: Annotated[int, Field(ge=500, le=6_000)] = 4_000
    transmit_limit_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] = 30_000
    revoke_grace_ms: Annotated[int, Field(ge=0, le=10_000)] = 1_000
    retry_after_ms: Duration = 3_000
    queue_answer_ms: Annotated[int, Field(ge=500, le=30_000)] = 2_000


class CallIn(Body):
    """How the calls of a prearranged or broadcast group end, in ms; each has its default. ``hang_ms`` null: never."""

    hang_ms: Annotated[int, Field(ge=1_000, le=3_600_000)] | None = 30_000
    maximum_ms: Annotated[int, Field(ge=10_000, le=86_400_000)] = 3_600_000
    least: Annotated[int, Field(ge=1, le=100)] = 2


class GroupIn(Body):
    """A group as an administrator enters it. ``duty_unit``: its people on duty are members while their shift runs."""

    name: Name
    unit: Id
    kind: GroupKind = GroupKind.CHAT
    floor: FloorIn = FloorIn()
    call: CallIn = CallIn()
    emergency_allowed: bool = True
    monitoring_allowed: bool = True
    enabled: bool = True
    duty_unit: Id | None = None


class GroupOut(Body):
    """A group. ``version`` and ``duty_unit`` only where it was read from the database."""

    id: str
    name: str
    agency: str
    unit: str
    kind: GroupKind
    floor: FloorIn
    call: CallIn
    emergency_allowed: bool
    monitoring_allowed: bool
    enabled: bool
    shared_with: list[str]
    members: int
    duty_unit: str | None = None
    version: int | None = None


class GroupsPage(Body):
    """One page of groups."""

    items: list[GroupOut]
    total: int
    next: str | None = None


@router.get("", responses=documented(401, 403, 422))
async def list_groups(
    caller: SignedInCaller, services: Use, q: Search = "", limit: Limit = 50, after: Cursor = ""
) -> GroupsPage:
    """The groups one may see, by pinyin of their names."""
    keys = keys_of(after, 2)
    visible = visible_groups(services, caller.user)
    found = await in_order(visible, lambda group: q.lower() in group.name.lower() or sounds(group.name, q))
    rest = [group for group in found if keys is None or by_pinyin(group) > keys]
    page = rest[:limit]
    return GroupsPage(
        items=[_out(services, group) for group in page],
        total=len(found),
        next=cursor_of(*by_pinyin(page[-1])) if len(rest) > limit else None,
    )


@router.post("", status_code=201, **ruled(Act.ADMINISTER_GROUPS, 404, 409))
async def create_group(body: GroupIn, caller: SignedInCaller, services: Use, response: Response) -> GroupOut:
    """A new group without members."""
    rights.allow(services, caller, Act.ADMINISTER_GROUPS, rights.own_agency(services, caller))
    async with services.store.change(caller.actor) as change:
        made = await groups.create_group(change, _draft(body, caller.user))
    response.headers["location"] = f"/api/v1/groups/{made}"
    return await _shown(services, made, response)


@router.get("/{group}", responses=documented(401, 403, 404, 422, 503))
async def get_group(group: PathId, caller: SignedInCaller, services: Use, response: Response) -> GroupOut:
    """One group one may see."""
    return await _shown(services, seen(services, caller.user, group).id, response)


@router.put("/{group}", **ruled(Act.ADMINISTER_GROUPS, 404, 409, 412, 428))
async def update_group(
    group: PathId, body: GroupIn, caller: SignedInCaller, services: Use, expected: Expected, response: Response
) -> GroupOut:
    """Change a group; members stay."""
    found = rights.group(services, caller, group, Act.ADMINISTER_GROUPS)
    async with services.store.change(caller.actor) as change:
        await groups.update_group(change, found, _draft(body, caller.user), expected)
    return await _shown(services, found, response)


@router.delete("/{group}", status_code=204, **ruled(Act.ADMINISTER_GROUPS, 404, 412, 428))
async def delete_group(group: PathId, caller: SignedInCaller, services: Use, expected: Expected) -> Response:
    """Delete a group; what was said in it stays."""
    found = rights.group(services, caller, group, Act.ADMINISTER_GROUPS)
    async with services.store.change(caller.actor) as change:
        await groups.delete_group(change, found, expected)
    return Response(status_code=204)


def visible_groups(services: Services, user: User) -> list[Group]:
    """The groups a user may see: those he is in, and with a right over groups all of his agency and shared ones."""
    snapshot = services.directory.snapshot
    if any(has(user, right) for right in SEES_ALL):
        every = snapshot.groups.values()
        return [group for group in every if user.agency == group.agency or user.agency in group.shared_with]
    return [snapshot.groups[key] for key in snapshot.groups_by_user.get(user.id, ()) if key in snapshot.groups]


def seen(services: Services, user: User, name: str) -> Group:
    """The group with that id, when the user may see it. Refuses (unknown_group) as if it were not there."""
    group = services.directory.group(GroupId(name))
    if group is not None and services.directory.membership(group.id, user.id) is not None:
        return group
    own = group is not None and (user.agency == group.agency or user.agency in group.shared_with)
    if group is None or not own or not any(has(user, right) for right in SEES_ALL):
        raise Refused(Refusal.UNKNOWN_GROUP)
    return group


def _draft(body: GroupIn, caller: User) -> GroupDraft:
    return GroupDraft(
        agency=caller.agency,
        unit=UnitId(body.unit),
        name=body.name,
        kind=body.kind,
        floor=FloorOptions(**body.floor.model_dump()),
        call=CallRules(**body.call.model_dump()),
        emergency_allowed=body.emergency_allowed,
        monitoring_allowed=body.monitoring_allowed,
        enabled=body.enabled,
        duty_unit=None if body.duty_unit is None else UnitId(body.duty_unit),
    )


def _out(services: Services, group: Group, row: Any = None) -> GroupOut:
    return GroupOut(
        id=group.id,
        name=group.name,
        agency=group.agency,
        unit=group.unit,
        kind=group.kind,
        floor=FloorIn.model_construct(**dataclasses.asdict(group.floor)),
        call=CallIn.model_construct(**dataclasses.asdict(group.call)),
        emergency_allowed=group.emergency_allowed,
        monitoring_allowed=group.monitoring_allowed,
        enabled=group.enabled,
        shared_with=sorted(group.shared_with),
        members=len(services.directory.members(group.id)),
        duty_unit=None if row is None else row.duty_unit_id,
        version=None if row is None else row.version,
    )


async def _shown(services: Services, group: GroupId, response: Response) -> GroupOut:
    async with services.store.reading() as connection:
        row = await groups.group_row(connection, group)
    found = services.directory.group(group)
    if row is None or found is None:
        raise Refused(Refusal.UNKNOWN_GROUP)
    tag(response, row.version)
    return _out(services, found, row)
