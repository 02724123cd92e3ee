"""The people, groups and units of one moment, as immutable data, and how the next moment is made from a change.

What policy, audience and sign-in read. A reader that holds a snapshot holds it whole: nothing in it ever changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeVar

from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, DeviceId, GroupId, UnitId, UserId

K = TypeVar("K")
V = TypeVar("V")
EMPTY: Mapping[UserId, Membership] = MappingProxyType({})
PLAN_LAPSES_MS = 31 * 86_400_000
"""So long after its last shift a unit still counts as one whose shifts are planned: a plan that comes late puts nobody
on duty."""


@dataclass(frozen=True, slots=True)
class Device:
    """A phone, console or browser that enrolled. ``enabled`` False: disabled at a distance (遥毙)."""

    id: DeviceId
    agency: AgencyId
    user: UserId | None
    name: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Shift:
    """A duty shift (班次) of a unit: who is on duty from ``starts_ms`` until just before ``ends_ms``."""

    id: str
    agency: AgencyId
    unit: UnitId
    name: str
    starts_ms: int
    ends_ms: int
    users: frozenset[UserId] = frozenset()

    def runs(self, at_ms: int) -> bool:
        """Whether it is under way at that time."""
        return self.starts_ms <= at_ms < self.ends_ms


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One version of the directory. ``ended_sessions``: session id → when it ended (ms), kept while tokens live."""

    version: int = 0
    agencies: Mapping[AgencyId, Agency] = field(default_factory=dict)
    units: Mapping[UnitId, Unit] = field(default_factory=dict)
    users: Mapping[UserId, User] = field(default_factory=dict)
    groups: Mapping[GroupId, Group] = field(default_factory=dict)
    devices: Mapping[DeviceId, Device] = field(default_factory=dict)
    members: Mapping[GroupId, Mapping[UserId, Membership]] = field(default_factory=dict)
    groups_by_user: Mapping[UserId, frozenset[GroupId]] = field(default_factory=dict)
    units_below: Mapping[UnitId, tuple[UnitId, ...]] = field(default_factory=dict)
    shifts: Mapping[str, Shift] = field(default_factory=dict)
    """Shifts under way or to come, and some that were over lately."""
    shifts_of: Mapping[UserId, tuple[Shift, ...]] = field(default_factory=dict)
    """The same by who is in them."""
    planned_until: Mapping[UnitId, int] = field(default_factory=dict)
    """When the last shift ends that was ever planned for a unit (ms)."""
    ended_sessions: Mapping[str, int] = field(default_factory=dict)
    shut_out: Mapping[str, int] = field(default_factory=dict)
    """Devices and people disabled while SQL was away → when (ms). They stay so here until SQL has learned it."""

    def unit_subtree(self, unit: UnitId) -> frozenset[UnitId]:
        """``unit`` and every unit below it; empty when there is no such unit."""
        if unit not in self.units:
            return frozenset()
        found = {unit}
        waiting = [unit]
        while waiting:
            below = [child for child in self.units_below.get(waiting.pop(), ()) if child not in found]
            found.update(below)
            waiting.extend(below)
        return frozenset(found)

    def unit_path(self, unit: UnitId) -> tuple[UnitId, ...]:
        """``unit`` and all above it, the root last."""
        path: list[UnitId] = []
        at: UnitId | None = unit
        while at is not None and at in self.units and at not in path:
            path.append(at)
            at = self.units[at].parent
        return tuple(path)

    def on_duty(self, user: UserId, at_ms: int) -> bool:
        """Whether a user is on duty. Where nobody plans shifts (his unit and all above), who is there is on duty."""
        person = self.users.get(user)
        if person is None:
            return False
        if any(shift.runs(at_ms) for shift in self.shifts_of.get(user, ())):
            return True
        ends = (self.planned_until[unit] for unit in self.unit_path(person.unit) if unit in self.planned_until)
        return all(at_ms >= end + PLAN_LAPSES_MS for end in ends)


@dataclass(frozen=True, slots=True)
class Delta:
    """What differs in the next version: id → its new form, or None when it is gone."""

    version: int
    agencies: Mapping[AgencyId, Agency | None] = field(default_factory=dict)
    units: Mapping[UnitId, Unit | None] = field(default_factory=dict)
    users: Mapping[UserId, User | None] = field(default_factory=dict)
    groups: Mapping[GroupId, Group | None] = field(default_factory=dict)
    devices: Mapping[DeviceId, Device | None] = field(default_factory=dict)
    members: Mapping[tuple[GroupId, UserId], Membership | None] = field(default_factory=dict)
    shifts: Mapping[str, Shift | None] = field(default_factory=dict)
    planned_until: Mapping[UnitId, int] | None = None
    """The whole of it, where a shift changed."""
    ended_sessions: Mapping[str, int] = field(default_factory=dict)
    shut_out: Mapping[str, int | None] = field(default_factory=dict)
    cells: frozenset[str] = frozenset()
    """Codes of grid cells that changed; a snapshot does not hold them."""

    def __bool__(self) -> bool:
        kinds = (self.agencies, self.units, self.users, self.groups, self.devices, self.members, self.shifts)
        return any(kinds) or bool(self.ended_sessions) or bool(self.shut_out) or bool(self.cells)


def patched(old: Snapshot, delta: Delta, forget_before: int = 0) -> Snapshot:
    """The next snapshot, without sessions and shifts that ended before then.

    What did not change is shared with the old one.
    """
    units = _merged(old.units, delta.units)
    groups = _merged(old.groups, delta.groups)
    users = _merged(old.users, delta.users)
    members, of_user = _members(old, delta)
    sessions = old.ended_sessions
    if delta.ended_sessions or any(at < forget_before for at in sessions.values()):
        joined = {**sessions, **delta.ended_sessions}
        sessions = {key: at for key, at in joined.items() if at >= forget_before}
    over = {key: None for key, shift in old.shifts.items() if shift.ends_ms <= forget_before}
    shifts = {**over, **delta.shifts}
    made = replace(
        old,
        version=delta.version,
        agencies=_merged(old.agencies, delta.agencies),
        units=units,
        users=users,
        groups=groups,
        devices=_merged(old.devices, delta.devices),
        members=members,
        groups_by_user=of_user,
        units_below=children(units.values()) if delta.units else old.units_below,
        shifts=_merged(old.shifts, shifts),
        shifts_of=_shifts_of(old, shifts),
        planned_until=old.planned_until if delta.planned_until is None else delta.planned_until,
        ended_sessions=sessions,
        shut_out=_merged(old.shut_out, delta.shut_out),
    )
    return kept_out(made)


def kept_out(snapshot: Snapshot) -> Snapshot:
    """With those disabled who are shut out, whatever SQL says of them just now."""
    users = {UserId(key): snapshot.users.get(UserId(key)) for key in snapshot.shut_out}
    devices = {DeviceId(key): snapshot.devices.get(DeviceId(key)) for key in snapshot.shut_out}
    people_in = {key: replace(user, enabled=False) for key, user in users.items() if user and user.enabled}
    devices_in = {key: replace(device, enabled=False) for key, device in devices.items() if device and device.enabled}
    if not people_in and not devices_in:
        return snapshot
    return replace(snapshot, users=_merged(snapshot.users, people_in), devices=_merged(snapshot.devices, devices_in))


def children(units: Iterable[Unit]) -> Mapping[UnitId, tuple[UnitId, ...]]:
    """Unit → the units directly below it."""
    below: dict[UnitId, list[UnitId]] = {}
    for unit in units:
        if unit.parent is not None:
            below.setdefault(unit.parent, []).append(unit.id)
    return {parent: tuple(sorted(found)) for parent, found in below.items()}


def by_user(shifts: Iterable[Shift]) -> Mapping[UserId, tuple[Shift, ...]]:
    """User → the shifts he is in."""
    found: dict[UserId, list[Shift]] = {}
    for shift in shifts:
        for user in shift.users:
            found.setdefault(user, []).append(shift)
    return {user: tuple(mine) for user, mine in found.items()}


def _shifts_of(old: Snapshot, changes: Mapping[str, Shift | None]) -> Mapping[UserId, tuple[Shift, ...]]:
    """What `by_user` would make of the shifts as they are now, at the cost of those that changed."""
    if not changes:
        return old.shifts_of
    new = by_user(shift for shift in changes.values() if shift is not None)
    before = by_user(shift for key in changes if (shift := old.shifts.get(key)) is not None)
    made: dict[UserId, tuple[Shift, ...] | None] = {}
    for user in before.keys() | new.keys():
        stay = tuple(shift for shift in old.shifts_of.get(user, ()) if shift.id not in changes)
        made[user] = (*stay, *new.get(user, ())) or None
    return _merged(old.shifts_of, made)


def _merged(old: Mapping[K, V], changes: Mapping[K, V | None]) -> Mapping[K, V]:
    if not changes:
        return old
    made = dict(old)
    for key, value in changes.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = value
    return made


def _gone_with_owner(old: Snapshot, delta: Delta) -> Iterator[tuple[GroupId, UserId]]:
    """Memberships that end because their group or their user is no more."""
    for group, form in delta.groups.items():
        if form is None:
            yield from ((group, user) for user in old.members.get(group, EMPTY))
    for user, person in delta.users.items():
        if person is None:
            yield from ((group, user) for group in old.groups_by_user.get(user, frozenset()))


def _members(
    old: Snapshot, delta: Delta
) -> tuple[Mapping[GroupId, Mapping[UserId, Membership]], Mapping[UserId, frozenset[GroupId]]]:
    changes: dict[tuple[GroupId, UserId], Membership | None] = dict(delta.members)
    changes.update(dict.fromkeys(_gone_with_owner(old, delta)))
    if not changes:
        return old.members, old.groups_by_user
    by_group: dict[GroupId, dict[UserId, Membership]] = {}
    by_user: dict[UserId, set[GroupId]] = {}
    for (group, user), membership in changes.items():
        # Copied once each, not once for each change: a group of a city has 20,000 members.
        inner = by_group.get(group)
        if inner is None:
            inner = by_group[group] = dict(old.members.get(group, EMPTY))
        groups = by_user.get(user)
        if groups is None:
            groups = by_user[user] = set(old.groups_by_user.get(user, frozenset()))
        if membership is None:
            inner.pop(user, None)
            groups.discard(group)
        else:
            inner[user] = membership
            groups.add(group)
    return (
        _merged(old.members, {group: inner or None for group, inner in by_group.items()}),
        _merged(old.groups_by_user, {user: frozenset(groups) or None for user, groups in by_user.items()}),
    )
