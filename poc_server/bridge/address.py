"""An incident's group address in the directory: there, renamed, parked, frozen, gone; and its members."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.incidents.effects import Address, AddressChanged
from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId, Role, UnitId, UserId
from poc_server.store import Actor
from poc_server.store.bridge.incident_groups import Wanted
from poc_server.store.directory.snapshot import Snapshot

MAX_NAME_CHARS = 128
PRIORITY = {Role.LEADER: 220, Role.SHIFT_LEADER: 180, Role.DISPATCHER: 160}
"""Priority of a member by role; everybody else has 100 (TS 24.379 user priority)."""
GONE = frozenset({Address.NONE, Address.ARCHIVED, Address.REMOVED})
"""An incident with one of these has no group in the directory."""
_TALKS = frozenset({Address.OPEN, Address.CLOSING})


def wanted(
    agency: AgencyId,
    group: GroupId,
    asked: AddressChanged,
    before: frozenset[UserId],
    members: frozenset[UserId],
    snapshot: Snapshot,
    actor: Actor,
) -> Wanted:
    """What the group of an incident shall be.

    Its unit is the lowest one above all members: that decides which dispatchers reach it.
    """
    gone = asked.address in GONE
    return Wanted(
        group=group,
        agency=agency,
        name=asked.name[:MAX_NAME_CHARS],
        enabled=asked.address in _TALKS,
        unit=common_unit(snapshot, members),
        root=root_unit(snapshot, agency),
        before=before,
        members=None if gone else tuple(_membership(snapshot, group, user) for user in sorted(members)),
        actor=actor,
        archived=asked.address is Address.ARCHIVED,
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
