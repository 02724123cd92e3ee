"""Talk groups and who is in them: reading and changing them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.calls.rules import CallRules
from groups.floor.options import FloorOptions
from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, GroupKind, Refusal, UnitId, UserId
from poc_server.refused import Refused
from poc_server.store import periods
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.ids import clean, new_id
from poc_server.store.lookup import one, unit_of_agency

MAX_PRIORITY = 255
INSERT_SLICE = 1_000


@dataclass(frozen=True, slots=True)
class GroupDraft:
    """What a new group, or one to be changed, shall be."""

    agency: AgencyId
    unit: UnitId
    name: str
    kind: GroupKind = GroupKind.CHAT
    floor: FloorOptions = field(default_factory=FloorOptions)
    emergency_allowed: bool = True
    monitoring_allowed: bool = True
    enabled: bool = True
    call: CallRules = CallRules()
    duty_unit: UnitId | None = None
    """Whoever is on duty in this unit or below is a member while the shift runs."""


async def create_group(change: Change, draft: GroupDraft, key: GroupId | None = None) -> GroupId:
    """A new group without members, of the given id if there is one. Refuses a unit of another agency (not_found)."""
    await _units(change.connection, draft)
    made = key or GroupId(new_id("gr"))
    values = {
        **columns(draft),
        "id": made,
        "agency_id": draft.agency,
        "created_ms": change.at_ms,
        "version": change.version,
    }
    await change.connection.execute(insert(t.group), [values])
    change.note("group", made)
    change.record("group.create", "group", made, columns(draft), draft.agency)
    return made


async def update_group(change: Change, group: GroupId, draft: GroupDraft, expected: int | None = None) -> None:
    """Change a group to ``draft``. Refuses an older ``expected`` version (stale).

    An incident's group is of the unit its case is, and stays an incident's: refused (conflict).
    """
    row = await one(change.connection, t.group, group, expected)
    if row.agency_id != draft.agency:
        raise Refused(Refusal.NOT_FOUND, "group")
    if row.kind == GroupKind.INCIDENT:
        if draft.unit != row.unit_id:
            raise Refused(Refusal.CONFLICT, "the unit follows the case")
        if draft.kind is not GroupKind.INCIDENT:
            raise Refused(Refusal.CONFLICT, "the kind follows the case")
    await _units(change.connection, draft)
    values = {**columns(draft), "version": change.version}
    await change.connection.execute(update(t.group).where(t.group.c.id == group).values(values))
    change.note("group", group)
    change.record("group.update", "group", group, columns(draft), draft.agency)


async def delete_group(change: Change, group: GroupId, expected: int | None = None) -> None:
    """Delete a group and its memberships; what was said in it stays."""
    row = await one(change.connection, t.group, group, expected)
    await periods.end_all(change.connection, [group], change.at_ms)
    await change.connection.execute(delete(t.group).where(t.group.c.id == group))
    change.note("group", group)
    change.record("group.delete", "group", group, {"name": row.name}, row.agency_id)


async def set_members(change: Change, group: GroupId, members: Sequence[Membership], *, by_duty: bool = False) -> None:
    """Add members, or change those that are in already. Refuses users of an agency it is not shared with (not_found).

    ``by_duty``: they become members for the time of their shift only; one who is in already stays as he came in.
    """
    row = await one(change.connection, t.group, group)
    wanted = {member.user: member for member in members}
    if any(not 0 <= member.priority <= MAX_PRIORITY for member in members):
        raise Refused(Refusal.BAD_MESSAGE, "priority")
    await _users_of_agencies(change.connection, group, row.agency_id, list(wanted))
    for part in _slices(list(wanted.values())):
        came = await _by_duty(change.connection, group, [member.user for member in part])
        await _drop(change.connection, group, [member.user for member in part])
        rows = [member_row(change, group, member, came.get(member.user, by_duty)) for member in part]
        await change.connection.execute(insert(t.membership), rows)
        await periods.begin(change.connection, group, [member.user for member in part], change.at_ms)
        for member in part:
            change.note("membership", group, member.user)
            told = {"user": member.user, "talk": member.may_talk, "preempt": member.may_preempt}
            change.record("group.member", "group", group, {**told, "priority": member.priority}, row.agency_id)


async def members_of(connection: AsyncConnection, group: GroupId, user: UserId | None = None) -> list[Row[Any]]:
    """The rows of ``membership`` of a group, or that of one ``user``, with whom they are of; by name."""
    people = t.user.c
    query = (
        select(t.membership, people.name, people.badge, people.agency_id)
        .join(t.user, people.id == t.membership.c.user_id)
        .where(t.membership.c.group_id == group)
        .order_by(people.name, people.id)
    )
    if user is not None:
        query = query.where(people.id == user)
    return list((await connection.execute(query)).all())


async def remove_members(change: Change, group: GroupId, users: Collection[UserId]) -> None:
    """Take users out of a group; one who is not in it is passed over."""
    row = await one(change.connection, t.group, group)
    for part in _slices(sorted(users)):
        await _drop(change.connection, group, part)
        await periods.end(change.connection, group, part, change.at_ms)
        for user in part:
            change.note("membership", group, user)
            change.record("group.unmember", "group", group, {"user": user}, row.agency_id)


async def group_row(connection: AsyncConnection, group: GroupId) -> Row[Any] | None:
    """The row of a group, with its version."""
    return (await connection.execute(select(t.group).where(t.group.c.id == group))).one_or_none()


async def _units(connection: AsyncConnection, draft: GroupDraft) -> None:
    await unit_of_agency(connection, draft.agency, draft.unit)
    if draft.duty_unit is not None:
        await unit_of_agency(connection, draft.agency, draft.duty_unit)


def columns(draft: GroupDraft) -> dict[str, Any]:
    """The columns of a group that a draft sets."""
    return {
        "unit_id": draft.unit,
        "name": clean(draft.name),
        "kind": draft.kind.value,
        "floor": dataclasses.asdict(draft.floor),
        "call_rules": dataclasses.asdict(draft.call),
        "emergency_allowed": draft.emergency_allowed,
        "monitoring_allowed": draft.monitoring_allowed,
        "duty_unit_id": draft.duty_unit,
        "enabled": draft.enabled,
    }


def member_row(change: Change, group: GroupId, member: Membership, by_duty: bool) -> dict[str, Any]:
    """A row of ``membership``."""
    return {
        "group_id": group,
        "user_id": member.user,
        "may_talk": member.may_talk,
        "may_preempt": member.may_preempt,
        "priority": member.priority,
        "by_duty": by_duty,
        "version": change.version,
    }


async def _by_duty(connection: AsyncConnection, group: GroupId, users: Sequence[UserId]) -> dict[UserId, bool]:
    """Of those who are in already: whether for the time of their shift only."""
    these = (t.membership.c.group_id == group) & t.membership.c.user_id.in_(users)
    found = await connection.execute(select(t.membership.c.user_id, t.membership.c.by_duty).where(these))
    return {UserId(user): bool(by_duty) for user, by_duty in found}


async def _drop(connection: AsyncConnection, group: GroupId, users: Sequence[UserId]) -> None:
    these = (t.membership.c.group_id == group) & t.membership.c.user_id.in_(users)
    await connection.execute(delete(t.membership).where(these))


async def _users_of_agencies(
    connection: AsyncConnection, group: GroupId, agency: AgencyId, users: Sequence[UserId]
) -> None:
    granted = select(t.group_share.c.agency_id).where(
        t.group_share.c.group_id == group, t.group_share.c.granted_ms.is_not(None)
    )
    whose = or_(t.user.c.agency_id == agency, t.user.c.agency_id.in_(granted))
    for part in _slices(users):
        query = select(func.count()).select_from(t.user).where(t.user.c.id.in_(part), whose)
        if await connection.scalar(query) != len(part):
            raise Refused(Refusal.NOT_FOUND, "user")


def _slices(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[start : start + INSERT_SLICE] for start in range(0, len(items), INSERT_SLICE)]
