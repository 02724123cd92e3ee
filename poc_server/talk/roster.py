"""Who is in which group just now: the directory's groups, and those that live only as long as their call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groups.model import Group, Membership, Unit, User
from groups.vocabulary import GroupId, UnitId, UserId

if TYPE_CHECKING:
    from poc_server.store.directory import Directory


@dataclass(frozen=True, slots=True)
class Transient:
    """A group made for one call: private, temporary, a leader's call to a set of people."""

    group: Group
    members: Mapping[UserId, Membership]


class Roster:
    """One view of lasting and transient groups; all of it in memory (`groups.reach.Facts`).

    Attributes:
        on_changed: told when a transient group begins, has other members, or ends.
        on_passing: told when one begins, or ends.
    """

    def __init__(self, directory: Directory) -> None:
        self.on_changed: Callable[[GroupId], None] = lambda _: None
        self.on_passing: Callable[[GroupId], None] = lambda _: None
        self._directory = directory
        self._transient: dict[GroupId, Transient] = {}
        self._transient_of: dict[UserId, set[GroupId]] = {}

    def user(self, user: UserId) -> User | None:
        """The user with that id, enabled or not."""
        return self._directory.user(user)

    def unit(self, unit: UnitId) -> Unit | None:
        """The unit with that id."""
        return self._directory.unit(unit)

    def group(self, group: GroupId) -> Group | None:
        """The group with that id."""
        transient = self._transient.get(group)
        return transient.group if transient else self._directory.group(group)

    def members(self, group: GroupId) -> Mapping[UserId, Membership]:
        """The members of a group."""
        transient = self._transient.get(group)
        return transient.members if transient else self._directory.members(group)

    def membership(self, group: GroupId, user: UserId) -> Membership | None:
        """The place of a user in a group."""
        return self.members(group).get(user)

    def groups_of(self, user: UserId) -> frozenset[GroupId]:
        """Every group a user is a member of."""
        return self._directory.groups_of(user) | frozenset(self._transient_of.get(user, ()))

    def is_transient(self, group: GroupId) -> bool:
        """Whether the group ends with its call."""
        return group in self._transient

    def transient(self, group: GroupId) -> Transient | None:
        """The transient group with that id."""
        return self._transient.get(group)

    def transients(self) -> Iterable[GroupId]:
        """All transient groups."""
        return tuple(self._transient)

    def put(self, transient: Transient) -> None:
        """A transient group begins, or its members are different now."""
        begins = transient.group.id not in self._transient
        self._forget(transient.group.id)
        self._transient[transient.group.id] = transient
        for user in transient.members:
            self._transient_of.setdefault(user, set()).add(transient.group.id)
        self.on_changed(transient.group.id)
        if begins:
            self.on_passing(transient.group.id)

    def drop(self, group: GroupId) -> None:
        """A transient group ends."""
        self._forget(group)
        self.on_changed(group)
        self.on_passing(group)

    def _forget(self, group: GroupId) -> None:
        transient = self._transient.pop(group, None)
        if transient is not None:
            for user in transient.members:
                of = self._transient_of.get(user, set())
                of.discard(group)
                if not of:
                    self._transient_of.pop(user, None)
