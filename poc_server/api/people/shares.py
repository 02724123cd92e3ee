"""Groups shared between agencies: one side offers, the other grants, each ends it; all of it is audited."""

from __future__ import annotations

from fastapi import Response

from groups.policy import Act
from groups.vocabulary import AgencyId, GroupId, UserId
from poc_server.api import rights
from poc_server.api.rights import ruled
from poc_server.api.routes import routes_of
from poc_server.api.services import Caller, Services, SignedInCaller, Use
from poc_server.api.shapes import Body, PathId
from poc_server.store.city import sharing

router = routes_of("groups")


class ShareOut(Body):
    """A group that its ``owner`` offered to another ``agency``; no ``granted_ms``: that one has not agreed yet.

    ``offered_by``, ``granted_by``: the name of who did it, where he is of the caller's own agency. ``guests``: how many
    people of the other agency are in it.
    """

    group: str
    group_name: str
    owner: str
    owner_name: str
    agency: str
    agency_name: str
    offered_ms: int
    offered_by: str | None
    granted_ms: int | None
    granted_by: str | None
    guests: int


@router.get("/shares", **ruled(Act.SHARE_GROUP))
async def list_shares(caller: SignedInCaller, services: Use) -> list[ShareOut]:
    """Shares and offers one's own agency has part in."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.SHARE_GROUP, agency)
    async with services.store.reading() as connection:
        rows = await sharing.shares(connection, agency.id)
    return [
        ShareOut(
            group=row.group_id,
            group_name=row.group_name,
            owner=row.owner_id,
            owner_name=row.owner_name,
            agency=row.agency_id,
            agency_name=row.agency_name,
            offered_ms=row.offered_ms,
            offered_by=_colleague(services, caller, row.offered_by),
            granted_ms=row.granted_ms,
            granted_by=_colleague(services, caller, row.granted_by),
            guests=row.guests,
        )
        for row in rows
    ]


@router.put("/groups/{group}/shares/{agency}", status_code=204, **ruled(Act.SHARE_GROUP, 404, 409))
async def offer_share(group: PathId, agency: PathId, caller: SignedInCaller, services: Use) -> Response:
    """Offer a group of one's own to another agency."""
    found = rights.group(services, caller, group, Act.SHARE_GROUP)
    async with services.store.change(caller.actor) as change:
        await sharing.offer(change, found, AgencyId(agency))
    return Response(status_code=204)


@router.delete("/groups/{group}/shares/{agency}", status_code=204, **ruled(Act.SHARE_GROUP, 404))
async def end_share(group: PathId, agency: PathId, caller: SignedInCaller, services: Use) -> Response:
    """Take an offer back, or end a share: its guests leave at once."""
    found = rights.group(services, caller, group, Act.SHARE_GROUP)
    async with services.store.change(caller.actor) as change:
        await sharing.end(change, found, AgencyId(agency))
    return Response(status_code=204)


@router.post("/shares/{group}/grant", status_code=204, **ruled(Act.SHARE_GROUP, 404))
async def grant_share(group: PathId, caller: SignedInCaller, services: Use) -> Response:
    """Accept a group that another agency offers."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.SHARE_GROUP, agency)
    async with services.store.change(caller.actor) as change:
        await sharing.grant(change, GroupId(group), agency.id)
    return Response(status_code=204)


@router.delete("/shares/{group}", status_code=204, **ruled(Act.SHARE_GROUP, 404))
async def leave_share(group: PathId, caller: SignedInCaller, services: Use) -> Response:
    """Decline an offer, or leave a group of another agency with all one's people."""
    agency = rights.own_agency(services, caller)
    rights.allow(services, caller, Act.SHARE_GROUP, agency)
    async with services.store.change(caller.actor) as change:
        await sharing.end(change, GroupId(group), agency.id)
    return Response(status_code=204)


def _colleague(services: Services, caller: Caller, user: str | None) -> str | None:
    found = None if user is None else services.directory.user(UserId(user))
    return found.name if found is not None and found.agency == caller.user.agency else None
