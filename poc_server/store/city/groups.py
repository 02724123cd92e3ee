"""Talk groups and who is in them: reading and changing them."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.calls.rules import CallRules
from groups.floor.options import FloorOptions
from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, GroupKind, Refusal, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.city import membership_periods
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.lookup import Pair, one, pairs_of, person_holds, unit_of_agency
from poc_server.store.sql.statements import in_parts, update_each

MAX_PRIORITY = 255


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
    made = key or GroupId(new_id("gr"))
    await _create(change, {made: draft})
    return made


async def create_groups(change: Change, drafts: Sequence[GroupDraft]) -> list[GroupId]:
    """Many groups, as `create_group` makes one."""
    made = {GroupId(new_id("gr")): draft for draft in drafts}
    await _create(change, made)
    return list(made)


async def update_group(change: Change, group: GroupId, draft: GroupDraft, expected: int | None = None) -> None:
    """Change a group to ``draft``. Refuses an older ``expected`` version (stale).

    An incident's group is of the unit its case is, and stays an incident's: refused (conflict).
    """
    await one(change.connection, t.group, group, expected)
    await update_groups(change, {group: draft})


async def update_groups(change: Change, wanted: Mapping[GroupId, GroupDraft]) -> None:
    """Change many groups, as `update_group` does one. Refuses strangers (not_found)."""
    if not wanted:
        return
    query = select(t.group.c.id, t.group.c.agency_id, t.group.c.kind, t.group.c.unit_id)
    rows = (await change.connection.execute(query.where(t.group.c.id.in_(sorted(wanted))))).all()
    if len(rows) != len(wanted):
        raise Refused(Refusal.NOT_FOUND, "group")
    for row in rows:
        _check_fits(row, wanted[GroupId(row.id)])
    await _check_units(change.connection, wanted.values())
    values = {group: {**columns(draft), "version": change.version} for group, draft in wanted.items()}
    await update_each(change.connection, t.group, values)
    for group, draft in wanted.items():
        change.note("group", group)
        change.record("group.update", "group", group, columns(draft), draft.agency)


async def delete_group(change: Change, group: GroupId, expected: int | None = None) -> None:
    """Delete a group and its memberships; what was said in it stays."""
    row = await one(change.connection, t.group, group, expected)
    await membership_periods.end_all(change.connection, [group], change.at_ms)
    await change.connection.execute(delete(t.group).where(t.group.c.id == group))
    change.note("group", group)
    change.record("group.delete", "group", group, {"name": row.name}, row.agency_id)


async def set_members(change: Change, group: GroupId, members: Sequence[Membership], *, by_duty: bool = False) -> None:
    """Add members, or change those that are in already. Refuses users of an agency it is not shared with (not_found).

    ``by_duty``: they become members for the time of their shift only; one who is in already stays as he came in.
    """
    await set_members_of_many(change, {group: members}, by_duty=by_duty)


async def set_members_of_many(
    change: Change, wanted: Mapping[GroupId, Sequence[Membership]], *, by_duty: bool = False
) -> None:
    """Members of many groups, as `set_members` sets those of one."""
    places = {(group, member.user): member for group, members in wanted.items() for member in members}
    if any(not 0 <= member.priority <= MAX_PRIORITY for member in places.values()):
        raise Refused(Refusal.BAD_MESSAGE, "priority")
    agencies = await _agencies(change.connection, wanted)
    for part in in_parts(places):
        await _check_users(change.connection, agencies, part)
        came = await _by_duty(change.connection, part)
        await change.connection.execute(delete(t.membership).where(pairs_of(t.membership, part)))
        rows = [member_row(change, pair[0], places[pair], came.get(pair, by_duty)) for pair in part]
        await change.connection.execute(insert(t.membership), rows)
        await membership_periods.begin(change.connection, part, change.at_ms)
        for group, user in part:
            member = places[group, user]
            change.note("membership", group, user)
            told = {"user": user, "talk": member.may_talk, "preempt": member.may_preempt}
            change.record("group.member", "group", group, {**told, "priority": member.priority}, agencies[group])


async def members_among(connection: AsyncConnection, group: GroupId, users: Iterable[UserId]) -> dict[UserId, Row[Any]]:
    """The rows of ``membership`` of those of them who are in a group."""
    member = t.membership.c
    found: dict[UserId, Row[Any]] = {}
    for part in in_parts(users):
        rows = await connection.execute(select(t.membership).where(member.group_id == group, member.user_id.in_(part)))
        found.update((UserId(row.user_id), row) for row in rows)
    return found


async def members_page(
    connection: AsyncConnection, group: GroupId, limit: int, *, text: str = "", after: tuple[str, str] | None = None
) -> tuple[list[Row[Any]], int]:
    """Members by (pinyin, id) after the given pair, with whom their rows are of, and how many there are in all.

    ``text``: as people are searched.
    """
    people = t.user.c
    inside = t.membership.join(t.user, people.id == t.membership.c.user_id)
    conditions = [t.membership.c.group_id == group]
    if text:
        conditions.append(person_holds(text))
    total = await connection.scalar(select(func.count()).select_from(inside).where(*conditions))
    query = select(t.membership, people.name, people.badge, people.agency_id, people.sorted_as)
    query = query.select_from(inside).where(*conditions).order_by(people.sorted_as, people.id).limit(limit)
    if after is not None:
        key, last = after
        query = query.where(or_(people.sorted_as > key, and_(people.sorted_as == key, people.id > last)))
    return list((await connection.execute(query)).all()), int(total or 0)


async def remove_members(change: Change, group: GroupId, users: Collection[UserId]) -> None:
    """Take users out of a group; one who is not in it is passed over."""
    row = await one(change.connection, t.group, group)
    for part in in_parts(sorted(users)):
        these = pairs_of(t.membership, [(group, user) for user in part])
        await change.connection.execute(delete(t.membership).where(these))
        await membership_periods.end(change.connection, group, part, change.at_ms)
        for user in part:
            change.note("membership", group, user)
            change.record("group.unmember", "group", group, {"user": user}, row.agency_id)


async def group_row(connection: AsyncConnection, group: GroupId) -> Row[Any] | None:
    """The row of a group, with its version."""
    return (await connection.execute(select(t.group).where(t.group.c.id == group))).one_or_none()


async def _create(change: Change, drafts: Mapping[GroupId, GroupDraft]) -> None:
    if not drafts:
        return
    await _check_units(change.connection, drafts.values())
    rows = [
        {
            **columns(draft),
            "id": made,
            "agency_id": draft.agency,
            "created_ms": change.at_ms,
            "version": change.version,
        }
        for made, draft in drafts.items()
    ]
    await change.connection.execute(insert(t.group), rows)
    for made, draft in drafts.items():
        change.note("group", made)
        change.record("group.create", "group", made, columns(draft), draft.agency)


def _check_fits(row: Any, draft: GroupDraft) -> None:
    if row.agency_id != draft.agency:
        raise Refused(Refusal.NOT_FOUND, "group")
    if row.kind == GroupKind.INCIDENT:
        if draft.unit != row.unit_id:
            raise Refused(Refusal.CONFLICT, "the unit follows the case")
        if draft.kind is not GroupKind.INCIDENT:
            raise Refused(Refusal.CONFLICT, "the kind follows the case")


async def _check_units(connection: AsyncConnection, drafts: Collection[GroupDraft]) -> None:
    named = {(draft.agency, unit) for draft in drafts for unit in (draft.unit, draft.duty_unit) if unit is not None}
    for agency, unit in sorted(named):
        await unit_of_agency(connection, agency, unit)


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


async def _agencies(connection: AsyncConnection, groups: Collection[GroupId]) -> dict[GroupId, AgencyId]:
    """Whose each is. Refuses one that is not there (not_found)."""
    query = select(t.group.c.id, t.group.c.agency_id).where(t.group.c.id.in_(sorted(groups)))
    found = {GroupId(row.id): AgencyId(row.agency_id) for row in (await connection.execute(query)).all()}
    if len(found) != len(groups):
        raise Refused(Refusal.NOT_FOUND, "group")
    return found


async def _by_duty(connection: AsyncConnection, pairs: Sequence[Pair]) -> dict[Pair, bool]:
    """Of those who are in already: whether for the time of their shift only."""
    m = t.membership.c
    found = await connection.execute(select(m.group_id, m.user_id, m.by_duty).where(pairs_of(t.membership, pairs)))
    return {(GroupId(group), UserId(user)): bool(by_duty) for group, user, by_duty in found}


async def _check_users(
    connection: AsyncConnection, agencies: Mapping[GroupId, AgencyId], pairs: Sequence[Pair]
) -> None:
    """Refuses somebody who is neither of the agency of his group nor of one it is shared with (not_found)."""
    share = t.group_share.c
    granted = select(share.group_id, share.agency_id).where(
        share.group_id.in_(sorted({group for group, _ in pairs})), share.granted_ms.is_not(None)
    )
    shared = {(row.group_id, row.agency_id) for row in (await connection.execute(granted)).all()}
    people = select(t.user.c.id, t.user.c.agency_id).where(t.user.c.id.in_(sorted({user for _, user in pairs})))
    whose = {row.id: row.agency_id for row in (await connection.execute(people)).all()}
    for group, user in pairs:
        of = whose.get(user)
        if of is None or (of != agencies[group] and (group, of) not in shared):
            raise Refused(Refusal.NOT_FOUND, "user")
