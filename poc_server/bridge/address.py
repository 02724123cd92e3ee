"""An incident's group address in the directory: there, renamed, parked, frozen, gone; and its members."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.effects import Address, AddressChanged, MembersChanged
from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, GroupKind, Role, UnitId, UserId
from poc_server.store import Change, groups
from poc_server.store.groups import GroupDraft
from poc_server.store.snapshot import Snapshot

MAX_NAME_CHARS = 128
PRIORITY = {Role.LEADER: 220, Role.SHIFT_LEADER: 180, Role.DISPATCHER: 160}
"""Priority of a member by role; everybody else has 100 (TS 24.379 user priority)."""
_TALKS = frozenset({Address.OPEN, Address.CLOSING})


async def change_address(change: Change, agency: AgencyId, group: GroupId, asked: AddressChanged, root: UnitId) -> None:
    """Makes the group be as asked, whatever it was."""
    row = await groups.group_row(change.connection, group)
    if asked.address in (Address.NONE, Address.REMOVED):
        if row is not None:
            await groups.delete_group(change, group)
        return
    name = asked.name[:MAX_NAME_CHARS]
    enabled = asked.address in _TALKS
    if row is None:
        draft = GroupDraft(agency, root, name, GroupKind.INCIDENT, enabled=enabled)
        await groups.create_group(change, draft, group)
    elif (row.name, row.enabled) != (name, enabled):
        unit = UnitId(row.unit_id)
        await groups.update_group(change, group, GroupDraft(agency, unit, name, GroupKind.INCIDENT, enabled=enabled))


async def change_members(
    change: Change, agency: AgencyId, group: GroupId, asked: MembersChanged, snapshot: Snapshot
) -> None:
    """Makes the group's members those asked for, and its unit the lowest one that is above them all.

    The unit decides which dispatchers reach the group.
    """
    joined = [Membership(group, user, True, False, _priority(snapshot, user)) for user in sorted(asked.joined)]
    if asked.left:
        await groups.remove_members(change, group, asked.left)
    if joined:
        await groups.set_members(change, group, joined)
    row = await groups.group_row(change.connection, group)
    unit = common_unit(snapshot, asked.members)
    if row is not None and unit is not None and unit != row.unit_id:
        draft = GroupDraft(agency, unit, row.name, GroupKind.INCIDENT, enabled=row.enabled)
        await groups.update_group(change, group, draft)


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


def _priority(snapshot: Snapshot, user: UserId) -> int:
    found = snapshot.users.get(user)
    return max((PRIORITY.get(role, 100) for role in found.roles), default=100) if found else 100
