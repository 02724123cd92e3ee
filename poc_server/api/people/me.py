"""The signed-in user himself."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from pydantic import Field

from groups.rights import rights_of
from groups.vocabulary import GroupKind
from poc_server.api.problems import documented
from poc_server.api.routes import routes_of
from poc_server.api.services import Address, SignedInCaller, Use
from poc_server.api.shapes import Body, PersonOut

router = routes_of("me")


class PlaceOut(Body):
    """An agency or unit by name."""

    id: str
    name: str


class MyGroup(Body):
    """A group the caller is a member of."""

    id: str
    name: str
    kind: GroupKind
    may_talk: bool
    may_preempt: bool
    priority: int
    members: int


class Me(Body):
    """Who the caller is, where he belongs, what he may do. ``units``: his own unit first, the root last."""

    user: PersonOut
    agency: PlaceOut
    units: list[PlaceOut]
    talk_banned: bool
    rights: list[str]
    on_duty: bool
    groups: list[MyGroup]


@router.get("/me", responses=documented(401, 403))
async def me(caller: SignedInCaller, services: Use) -> Me:
    """Who I am and which groups I am in."""
    snapshot = services.directory.snapshot
    user = caller.user
    agency = snapshot.agencies.get(user.agency)
    groups = []
    for key in snapshot.groups_by_user.get(user.id, frozenset()):
        group, members = snapshot.groups[key], snapshot.members[key]
        if group.enabled:
            mine = members[user.id]
            groups.append(
                MyGroup(
                    id=group.id,
                    name=group.name,
                    kind=group.kind,
                    may_talk=mine.may_talk,
                    may_preempt=mine.may_preempt,
                    priority=mine.priority,
                    members=len(members),
                )
            )
    return Me(
        user=PersonOut.of(user),
        agency=PlaceOut(id=user.agency, name=agency.name if agency else ""),
        units=[PlaceOut(id=unit, name=snapshot.units[unit].name) for unit in snapshot.unit_path(user.unit)],
        talk_banned=user.talk_banned,
        rights=rights_of(user),
        on_duty=snapshot.on_duty(user.id, services.store.clock()),
        groups=sorted(groups, key=lambda group: (group.name, group.id)),
    )


class NewPasswordIn(Body):
    """The password one has, and the one it shall be."""

    old: Annotated[str, Field(min_length=1, max_length=1_024)]
    new: Annotated[str, Field(min_length=1, max_length=1_024)]


@router.put("/me/password", status_code=204, responses=documented(401, 403, 422, 429, 503))
async def change_password(body: NewPasswordIn, caller: SignedInCaller, services: Use, address: Address) -> Response:
    """Change my password; all my sessions end, this one too. A wrong old one counts as a failed sign-in."""
    await services.auth.change_password(caller.claims, body.old, body.new, address)
    return Response(status_code=204)
