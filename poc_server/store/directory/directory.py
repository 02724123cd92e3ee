"""The directory each node holds in memory: who there is and who is in which group, without ever waiting for SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, DeviceId, GroupId, UnitId, UserId
from poc_server.store.directory.difference import Difference
from poc_server.store.directory.snapshot import EMPTY, Delta, Device, Snapshot, kept_out, patched

log = structlog.get_logger(__name__)
ANY_CELL = "*"
"""Stands for every code of a grid cell: a snapshot does not hold them, so nobody knows which are others."""


@dataclass(frozen=True, slots=True)
class DirectoryChange:
    """What listeners are told. ``everything``: anything may differ between ``before`` and ``after``.

    ``groups`` names groups whose own settings **or** members changed; ``cells`` may name `ANY_CELL`.
    """

    before: Snapshot
    after: Snapshot
    users: frozenset[UserId] = frozenset()
    groups: frozenset[GroupId] = frozenset()
    units: frozenset[UnitId] = frozenset()
    devices: frozenset[DeviceId] = frozenset()
    shifts: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    cells: frozenset[str] = frozenset()
    everything: bool = False


Listener = Callable[[DirectoryChange], None]


class Directory:
    """Holds the newest `Snapshot` and tells listeners, on the event loop, when there is a newer one."""

    def __init__(self, snapshot: Snapshot | None = None) -> None:
        self._snapshot = snapshot or Snapshot()
        self._listeners: list[Listener] = []

    @property
    def snapshot(self) -> Snapshot:
        """The newest version; immutable, so it may be kept for as long as one decision takes."""
        return self._snapshot

    @property
    def version(self) -> int:
        """Grows with every change; the same number on every node means the same content."""
        return self._snapshot.version

    def agency(self, agency: AgencyId) -> Agency | None:
        """The agency with that id."""
        return self._snapshot.agencies.get(agency)

    def unit(self, unit: UnitId) -> Unit | None:
        """The unit with that id."""
        return self._snapshot.units.get(unit)

    def user(self, user: UserId) -> User | None:
        """The user with that id, enabled or not."""
        return self._snapshot.users.get(user)

    def group(self, group: GroupId) -> Group | None:
        """The group with that id, enabled or not."""
        return self._snapshot.groups.get(group)

    def device(self, device: DeviceId) -> Device | None:
        """The device with that id, enabled or not."""
        return self._snapshot.devices.get(device)

    def members(self, group: GroupId) -> Mapping[UserId, Membership]:
        """The members of ``group``; empty when there is no such group."""
        return self._snapshot.members.get(group, EMPTY)

    def membership(self, group: GroupId, user: UserId) -> Membership | None:
        """The place of ``user`` in ``group``, None when not a member."""
        return self._snapshot.members.get(group, EMPTY).get(user)

    def groups_of(self, user: UserId) -> frozenset[GroupId]:
        """The groups ``user`` is a member of."""
        return self._snapshot.groups_by_user.get(user, frozenset())

    def unit_subtree(self, unit: UnitId) -> frozenset[UnitId]:
        """``unit`` and every unit below it."""
        return self._snapshot.unit_subtree(unit)

    def on_duty(self, user: UserId, at_ms: int) -> bool:
        """Whether a user is on duty at that time (see `Snapshot.on_duty`)."""
        return self._snapshot.on_duty(user, at_ms)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` on every change, on the loop, until the returned function is called. It must not block."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def replace(self, snapshot: Snapshot, changed: Difference | None = None) -> None:
        """Take a snapshot that was loaded whole; ``changed``: how it differs from the one held (None: in anything).

        A session that ended stays ended, and who is shut out stays out: this node may have done it while SQL was away,
        and SQL learn it later.
        """
        before = self._snapshot
        ended = {**before.ended_sessions, **snapshot.ended_sessions}
        out = {**before.shut_out, **snapshot.shut_out}
        self._snapshot = kept_out(dataclasses.replace(snapshot, ended_sessions=ended, shut_out=out))
        if changed is None:
            self._tell(DirectoryChange(before, self._snapshot, everything=True))
            return
        self._tell(
            DirectoryChange(
                before,
                self._snapshot,
                users=changed.users,
                groups=changed.groups,
                units=changed.units,
                devices=changed.devices,
                shifts=changed.shifts,
                sessions=frozenset(ended.keys() - before.ended_sessions.keys()),
                cells=frozenset({ANY_CELL}),
            )
        )

    def patch(self, delta: Delta, forget_before: int = 0) -> None:
        """Take what changed."""
        if delta.version == self.version and not delta:
            return
        before = self._snapshot
        self._snapshot = patched(before, delta, forget_before)
        out_users = {UserId(key) for key in delta.shut_out} & before.users.keys()
        out_devices = {DeviceId(key) for key in delta.shut_out} & before.devices.keys()
        self._tell(
            DirectoryChange(
                before,
                self._snapshot,
                users=frozenset(delta.users) | {user for _, user in delta.members} | out_users,
                groups=frozenset(delta.groups) | {group for group, _ in delta.members},
                units=frozenset(delta.units),
                devices=frozenset(delta.devices) | out_devices,
                shifts=frozenset(delta.shifts),
                sessions=frozenset(delta.ended_sessions),
                cells=delta.cells,
            )
        )

    def _tell(self, change: DirectoryChange) -> None:
        for listener in tuple(self._listeners):
            try:
                listener(change)
            except Exception:
                # One listener's fault must not keep the others from learning of a revocation.
                log.exception("directory_listener_failed", listener=repr(listener))
