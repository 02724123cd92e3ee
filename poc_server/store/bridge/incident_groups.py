"""Groups of incidents and their members, many in one transaction: a city files hundreds of cases in an hour.

The same tables and the same notes as `poc_server.store.city.groups`, but a statement for all, not a dozen for each:
every statement costs the loop that carries voice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, bindparam, delete, insert, select, tuple_, update

from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, GroupKind, Refusal, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store import tables as t
from poc_server.store.audit import Actor
from poc_server.store.change import Change
from poc_server.store.city import membership_periods
from poc_server.store.city.groups import GroupDraft, columns, member_row
from poc_server.store.sql.statements import in_parts

JOINED_AT_ONCE = 100
"""Memberships of one statement: to make their rows holds the loop."""
Pair = tuple[GroupId, UserId]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an incident's group shall be, whatever it was.

    Attributes:
        unit: whose it shall be; None: where it is, else ``root``.
        before: who was a member so far.
        members: who shall be; None takes the group away.
        actor: by whom, for the audit.
        archived: it goes because its case rests, and may come back.
    """

    group: GroupId
    agency: AgencyId
    name: str
    enabled: bool
    unit: UnitId | None
    root: UnitId | None
    before: frozenset[UserId]
    members: tuple[Membership, ...] | None
    actor: Actor
    archived: bool = False


async def settle(change: Change, wanted: Sequence[Wanted]) -> None:
    """Makes every group, and who is in it, be as wanted; users that are no more are passed over.

    Refuses (not_found) a group for which there is no unit at all.
    """
    rows = await _rows(change, [each.group for each in wanted])
    await _delete(change, [each for each in wanted if each.members is None and each.group in rows])
    await _put(change, [each for each in wanted if each.members is not None], rows)
    joining: list[Membership] = []
    leaving: list[Pair] = []
    for each in wanted:
        if each.members is None:
            continue
        before = each.before if each.group in rows else frozenset()
        joined = [member for member in each.members if member.user not in before]
        left = before - {member.user for member in each.members}
        joining += joined
        leaving += [(each.group, user) for user in sorted(left)]
        if joined or left:
            told = {"joined": sorted(m.user for m in joined), "left": sorted(left)}
            _record(change, each, "group.members", told)
    await _leave(change, leaving)
    await _join(change, joining, wanted, rows)


async def _rows(change: Change, groups: Iterable[GroupId]) -> dict[GroupId, Row[Any]]:
    found: dict[GroupId, Row[Any]] = {}
    for part in in_parts(groups):
        query = select(t.group).where(t.group.c.id.in_(part))
        found.update({GroupId(row.id): row for row in (await change.connection.execute(query)).all()})
    return found


async def _delete(change: Change, gone: Sequence[Wanted]) -> None:
    for part in in_parts(each.group for each in gone):
        await membership_periods.end_all(change.connection, part, change.at_ms)
        await change.connection.execute(delete(t.group).where(t.group.c.id.in_(part)))
    for each in gone:
        change.note("group", each.group)
        _record(change, each, "group.archive" if each.archived else "group.delete", {"name": each.name})


async def _put(change: Change, wanted: Sequence[Wanted], rows: dict[GroupId, Row[Any]]) -> None:
    new = []
    for each in wanted:
        row = rows.get(each.group)
        unit = each.unit or (UnitId(row.unit_id) if row is not None else each.root)
        if unit is None:
            raise Refused(Refusal.NOT_FOUND, "the agency has no unit")
        draft = GroupDraft(each.agency, unit, each.name, GroupKind.INCIDENT, enabled=each.enabled)
        values = {**columns(draft), "version": change.version}
        if row is None:
            new.append({**values, "id": each.group, "agency_id": each.agency, "created_ms": change.at_ms})
        elif (row.name, row.enabled, row.unit_id) != (values["name"], each.enabled, unit):
            await change.connection.execute(update(t.group).where(t.group.c.id == each.group).values(values))
        else:
            continue
        change.note("group", each.group)
        told = {"name": each.name, "unit": unit, "enabled": each.enabled}
        _record(change, each, "group.create" if row is None else "group.update", told)
    if new:
        await change.connection.execute(insert(t.group), new)


async def _leave(change: Change, leaving: Sequence[Pair]) -> None:
    if not leaving:
        return
    pairs = [{"of": group, "who": user} for group, user in leaving]
    c, p = t.membership.c, t.membership_period.c
    gone = delete(t.membership).where(c.group_id == bindparam("of"), c.user_id == bindparam("who"))
    await change.connection.execute(gone, pairs)
    over = update(t.membership_period).where(
        p.group_id == bindparam("of"), p.user_id == bindparam("who"), p.until_ms.is_(None)
    )
    await change.connection.execute(over.values(until_ms=change.at_ms), pairs)
    for group, user in leaving:
        change.note("membership", group, user)


async def _join(
    change: Change, joining: Sequence[Membership], wanted: Sequence[Wanted], rows: dict[GroupId, Row[Any]]
) -> None:
    agency = {each.group: each.agency for each in wanted}
    there: dict[str, str] = {}
    for users in in_parts(sorted({member.user for member in joining})):
        query = select(t.user.c.id, t.user.c.agency_id).where(t.user.c.id.in_(users))
        there.update({row.id: row.agency_id for row in (await change.connection.execute(query)).all()})
    known = [member for member in joining if there.get(member.user) == agency[member.group]]
    if not known:
        return
    pairs = [(member.group, member.user) for member in known]
    # A group made just now has neither.
    inside, open_now = await _inside(change, [pair for pair in pairs if pair[0] in rows])
    new = [m for m in known if (m.group, m.user) not in inside]
    for members in in_parts(new, JOINED_AT_ONCE):
        made = [member_row(change, m.group, m, by_duty=False) for m in members]
        await change.connection.execute(insert(t.membership), made)
    periods = [pair for pair in pairs if pair not in open_now]
    for part in in_parts(periods, JOINED_AT_ONCE):
        begun = [{"group_id": group, "user_id": user, "from_ms": change.at_ms} for group, user in part]
        await change.connection.execute(insert(t.membership_period), begun)
    for group, user in pairs:
        change.note("membership", group, user)


async def _inside(change: Change, pairs: Sequence[Pair]) -> tuple[set[Pair], set[Pair]]:
    """Of these pairs those that are memberships already (put there by hand), and those with an open period."""
    m, p = t.membership.c, t.membership_period.c
    inside: set[Pair] = set()
    open_now: set[Pair] = set()
    for part in in_parts(pairs):
        query = select(m.group_id, m.user_id).where(tuple_(m.group_id, m.user_id).in_(part))
        inside |= {(GroupId(g), UserId(u)) for g, u in (await change.connection.execute(query)).all()}
        query = select(p.group_id, p.user_id).where(tuple_(p.group_id, p.user_id).in_(part), p.until_ms.is_(None))
        open_now |= {(GroupId(g), UserId(u)) for g, u in (await change.connection.execute(query)).all()}
    return inside, open_now


def _record(change: Change, each: Wanted, action: str, told: dict[str, Any]) -> None:
    change.actor = each.actor
    change.record(action, "group", each.group, told, each.agency)
