"""Groups shared between agencies: the owner offers, the other side grants, each may end it; all of it audited."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, GroupId, Refusal, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.city import membership_periods
from poc_server.store.sql.lookup import one


async def offer(change: Change, group: GroupId, to: AgencyId) -> None:
    """The owning agency offers a group to another. Refuses itself and an offer that stands (conflict)."""
    row = await one(change.connection, t.group, group)
    await one(change.connection, t.agency, to)
    if row.agency_id == to:
        raise Refused(Refusal.CONFLICT, "the group is its own")
    values = {"group_id": group, "agency_id": to, "offered_ms": change.at_ms, "offered_by": change.actor.user}
    await change.connection.execute(insert(t.group_share), [values])
    change.record("share.offer", "group", group, {"to": to}, row.agency_id)
    change.record("share.offered", "group", group, {"by": row.agency_id, "name": row.name}, to)


async def grant(change: Change, group: GroupId, agency: AgencyId) -> None:
    """The other agency accepts: from now on its people may become members. Refuses where nothing was offered."""
    which = (t.group_share.c.group_id == group) & (t.group_share.c.agency_id == agency)
    values = {"granted_ms": change.at_ms, "granted_by": change.actor.user}
    done = await change.connection.execute(
        update(t.group_share).where(which, t.group_share.c.granted_ms.is_(None)).values(values)
    )
    if not done.rowcount:
        raise Refused(Refusal.NOT_FOUND, "share")
    row = await one(change.connection, t.group, group)
    change.note("group", group)
    change.record("share.grant", "group", group, {"of": row.agency_id}, agency)
    change.record("share.granted", "group", group, {"by": agency}, row.agency_id)


async def end(change: Change, group: GroupId, agency: AgencyId) -> None:
    """End a share, or take an offer back; members of that agency leave the group at once."""
    row = await one(change.connection, t.group, group)
    which = (t.group_share.c.group_id == group) & (t.group_share.c.agency_id == agency)
    done = await change.connection.execute(delete(t.group_share).where(which))
    if not done.rowcount:
        raise Refused(Refusal.NOT_FOUND, "share")
    theirs = select(t.user.c.id).where(t.user.c.agency_id == agency)
    members = (t.membership.c.group_id == group) & t.membership.c.user_id.in_(theirs)
    gone = (await change.connection.execute(select(t.membership.c.user_id).where(members))).scalars().all()
    await change.connection.execute(delete(t.membership).where(members))
    await membership_periods.end(change.connection, group, gone, change.at_ms)
    for user in gone:
        change.note("membership", group, UserId(user))
    change.note("group", group)
    change.record("share.end", "group", group, {"with": agency, "members": len(gone)}, row.agency_id)
    change.record("share.end", "group", group, {"with": row.agency_id, "members": len(gone)}, agency)


async def shares(connection: AsyncConnection, agency: AgencyId) -> list[Row[Any]]:
    """Shares and offers that an agency has part in, on either side; ``guests``: members of the other agency."""
    owner = t.agency.alias("owner")
    guests = (
        select(func.count())
        .select_from(t.membership.join(t.user, t.user.c.id == t.membership.c.user_id))
        .where(t.membership.c.group_id == t.group_share.c.group_id, t.user.c.agency_id == t.group_share.c.agency_id)
        .scalar_subquery()
    )
    query = (
        select(
            t.group_share,
            t.group.c.name.label("group_name"),
            t.group.c.agency_id.label("owner_id"),
            owner.c.name.label("owner_name"),
            t.agency.c.name.label("agency_name"),
            guests.label("guests"),
        )
        .join(t.group, t.group.c.id == t.group_share.c.group_id)
        .join(t.agency, t.agency.c.id == t.group_share.c.agency_id)
        .join(owner, owner.c.id == t.group.c.agency_id)
        .where(or_(t.group.c.agency_id == agency, t.group_share.c.agency_id == agency))
        .order_by(t.group_share.c.offered_ms, t.group_share.c.group_id)
    )
    return list((await connection.execute(query)).all())
