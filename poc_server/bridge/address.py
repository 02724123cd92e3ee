"""An incident's group address in the directory: there, renamed, parked, frozen, gone; and its members."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.effects import Address, AddressChanged
from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, GroupKind, Refusal, Role, UnitId, UserId
from poc_server.refused import Refused
from poc_server.store import Change, groups
from poc_server.store.groups import GroupDraft
from poc_server.store.snapshot import Snapshot

MAX_NAME_CHARS = 128
PRIORITY = {Role.LEADER: 220, Role.SHIFT_LEADER: 180, Role.DISPATCHER: 160}
"""Priority of a member by role; everybody else has 100 (TS 24.379 user priority)."""
_TALKS = frozenset({Address.OPEN, Address.CLOSING})


async def change_group(
    change: Change,
    agency: AgencyId,
    group: GroupId,
    asked: AddressChanged,
    before: frozenset[UserId],
    members: frozenset[UserId],
    snapshot: Snapshot,
) -> None:
    """Makes the group and its members be as asked, whatever they were.

    Its unit is the lowest one above all members: that decides which dispatchers reach it. Refuses (not_found) when the
    agency has no unit.
    """
    row = await groups.group_row(change.connection, group)
    if asked.address in (Address.NONE, Address.REMOVED):
        if row is not None:
            await groups.delete_group(change, group)
        return
    unit = common_unit(snapshot, members) or (row and UnitId(row.unit_id)) or root_unit(snapshot, agency)
    if unit is None:
        raise Refused(Refusal.NOT_FOUND, "the agency has no unit")
    name, enabled = asked.name[:MAX_NAME_CHARS], asked.address in _TALKS
    draft = GroupDraft(agency, unit, name, GroupKind.INCIDENT, enabled=enabled)
    if row is None:
        before = frozenset()
        await groups.create_group(change, draft, group)
    elif (row.name, row.enabled, row.unit_id) != (name, enabled, unit):
        await groups.update_group(change, group, draft)
    if before - members:
        await groups.remove_members(change, group, before - members)
    if members - before:
        await groups.set_members(
            change, group, [_membership(snapshot, group, user) for user in sorted(members - before)]
        )


def common_unit(snapshot: Snapshot, users: Iterable[UserId]) -> UnitId | None:
    """The lowest unit above all of these users; None when there is none."""
    paths = [snapshot.unit_path(user.unit) for key in users if (user := snapshot.users.get(key)) is not None]
    if not paths:
        return None
    common = set(paths[0]).intersection(*paths)
    return next((unit for unit in paths[0] if unit in common), None)


def root_unit(snapshot: Snapshot, agency: AgencyId) -> UnitId | None:
    """The unit at the root of an agency."""
    roots = [unit.id for unit in snapshot.units.values() if unit.agency == agency and unit.parent is None]
    return min(roots, default=None)


def _membership(snapshot: Snapshot, group: GroupId, user: UserId) -> Membership:
    found = snapshot.users.get(user)
    priority = max((PRIORITY.get(role, 100) for role in found.roles), default=100) if found else 100
    return Membership(group, user, True, False, priority)
