"""Who is in a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Response
from pydantic import Field

from groups.model import Membership
from groups.policy import Act
from groups.vocabulary import GroupId, Refusal, UserId
from poc_server.api import rights
from poc_server.api.paging import Cursor, Expected, IfMatch, Limit, Search, check_seen, following, keys_of, tag
from poc_server.api.people.groups import seen
from poc_server.api.problems import documented
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, Id, PathId
from poc_server.ground.refused import Refused
from poc_server.store import Change
from poc_server.store.city import groups
from poc_server.store.city.groups import MAX_PRIORITY

router = routes_of("groups", "/groups/{group}/members")
MAX_MEMBERS_AT_ONCE = 2_000


class MemberIn(Body):
    """A user's place in a group (TS 24.379 user priority: higher first)."""

    may_talk: bool = True
    may_preempt: bool = False
    priority: Annotated[int, Field(ge=0, le=MAX_PRIORITY)] = 100


class MemberOut(MemberIn):
    """A member by name. ``version`` is his place's, for ``If-Match``."""

    user: str
    name: str
    badge: str
    agency: str
    version: int


class MembersIn(Body):
    """Several people for the same place in a group."""

    users: Annotated[list[Id], Field(min_length=1, max_length=MAX_MEMBERS_AT_ONCE)]
    place: MemberIn = MemberIn()


class MembersAdded(Body):
    """How many came in, and who of those named was ``inside`` already."""

    added: int
    inside: list[str]


class MembersPage(Body):
    """One page of members."""

    items: list[MemberOut]
    total: int
    next: str | None = None


@router.get("", responses=documented(401, 403, 404, 422, 503))
async def list_members(
    group: PathId, caller: SignedInCaller, services: Use, q: Search = "", limit: Limit = 50, after: Cursor = ""
) -> MembersPage:
    """The members of a group one may see, by pinyin."""
    found = seen(services, caller.user, group)
    keys = keys_of(after, 2)
    begin = (keys[0], keys[1]) if keys else None
    async with services.store.reading() as connection:
        rows, total = await groups.members_page(connection, found.id, limit, text=q.replace("\x00", ""), after=begin)
    items = [
        MemberOut(
            user=row.user_id,
            name=row.name,
            badge=row.badge,
            agency=row.agency_id,
            may_talk=row.may_talk,
            may_preempt=row.may_preempt,
            priority=row.priority,
            version=row.version,
        )
        for row in rows
    ]
    return MembersPage(items=items, total=total, next=following(rows, limit, lambda row: (row.sorted_as, row.user_id)))


@router.post("", **ruled(Act.ADMINISTER_GROUPS, 404, 409))
async def add_members(group: PathId, body: MembersIn, caller: SignedInCaller, services: Use) -> MembersAdded:
    """Add people; who is in already keeps his place, which is changed one by one, each as it was seen."""
    found = _door(services, caller, group, body.users)
    wanted = [UserId(user) for user in sorted(set(body.users))]
    async with services.store.change(caller.actor) as change:
        inside = await groups.members_among(change.connection, found, wanted)
        new = [_member(found, user, body.place) for user in wanted if user not in inside]
        await groups.set_members(change, found, new)
    return MembersAdded(added=len(new), inside=[user for user in wanted if user in inside])


@router.put("/{user}", status_code=204, **ruled(Act.ADMINISTER_GROUPS, 404, 409, 412))
async def put_member(
    group: PathId, user: PathId, body: MemberIn, caller: SignedInCaller, services: Use, if_match: IfMatch = None
) -> Response:
    """Add a person; with ``If-Match``, change the place of one who is in."""
    found = _door(services, caller, group, [user])
    async with services.store.change(caller.actor) as change:
        check_seen(await _place(change, found, user), if_match, "member")
        await groups.set_members(change, found, [_member(found, user, body)])
    response = Response(status_code=204)
    tag(response, change.version)
    return response


@router.delete("/{user}", status_code=204, **ruled(Act.ADMINISTER_GROUPS, 404, 412, 428))
async def remove_member(
    group: PathId, user: PathId, caller: SignedInCaller, services: Use, expected: Expected
) -> Response:
    """Take a person out of a group; one who is not in it is passed over."""
    found = _door(services, caller, group, [user], leaving=True)
    async with services.store.change(caller.actor) as change:
        there = await _place(change, found, user)
        if there is not None and expected is not None and there.version != expected:
            raise Refused(Refusal.STALE, "member")
        await groups.remove_members(change, found, [UserId(user)])
    return Response(status_code=204)


async def _place(change: Change, group: GroupId, user: str) -> Any:
    """The row of a member; None for who is not in the group."""
    return (await groups.members_among(change.connection, group, [UserId(user)])).get(UserId(user))


def _door(services: Services, caller: Caller, name: str, users: Sequence[str], *, leaving: bool = False) -> GroupId:
    """The group, when the caller may put these users into it, or take them out.

    Each agency names its own people, in its own groups and in those shared with it; the owner may send guests away.
    """
    group = services.directory.group(GroupId(name))
    shared = group is not None and caller.user.agency in group.shared_with
    if group is not None and shared:
        rights.allow(services, caller, Act.ADMINISTER_GROUPS, rights.own_agency(services, caller))
    else:
        rights.group(services, caller, name, Act.ADMINISTER_GROUPS)
    for user in users:
        person = services.directory.user(UserId(user))
        if (person is None or person.agency != caller.user.agency) and (shared or not leaving):
            raise Refused(Refusal.UNKNOWN_USER)
    return GroupId(name)


def _member(group: GroupId, user: PathId, place: MemberIn) -> Membership:
    return Membership(group, UserId(user), place.may_talk, place.may_preempt, place.priority)
