"""The groups that are alive on this node: made at their first use, let go when nothing goes on in them."""

from __future__ import annotations

from collections.abc import Callable

from groups.model import Group
from groups.vocabulary import GroupId
from poc_server.talk.patch import Joined
from poc_server.talk.roster import Roster
from poc_server.talk.talkgroup import Talkgroup


class Talkgroups(dict[GroupId, Talkgroup]):
    """Live groups by their id.

    Attributes:
        on_opened: told of each that begins to live here.
        on_closed: told of each that lives here no more.
    """

    def __init__(self, roster: Roster, joined: Joined, make: Callable[[Group], Talkgroup]) -> None:
        super().__init__()
        self._roster = roster
        self._joined = joined
        self._make = make
        self.on_opened: Callable[[GroupId], None] = lambda _: None
        self.on_closed: Callable[[GroupId], None] = lambda _: None

    def open(self, group: GroupId) -> Talkgroup:
        """The live state of a group, made at its first use. Raises KeyError when there is no such group."""
        found = self.get(group)
        if found is None:
            model = self._roster.group(group)
            if model is None:
                raise KeyError(group)
            found = self[group] = self._make(model)
            self.on_opened(group)
        return found

    def floor_of(self, group: GroupId) -> Talkgroup:
        """Where the floor of a group is: its own, or that of the patch it is joined by."""
        return self.open(self._joined.of(group) or group)

    def configured(self, group: GroupId) -> None:
        """An administrator changed a group."""
        found, model = self.get(group), self._roster.group(group)
        if found is not None and model is not None:
            found.configured(model)

    def close_told(self, group: GroupId) -> None:
        """End a group that is no more, and say so to its phones."""
        found = self.pop(group, None)
        if found is not None:
            found.close_told()
            self.on_closed(group)

    def close_idle(self) -> None:
        """Let go of those in which nothing goes on."""
        for key, talkgroup in tuple(self.items()):
            if talkgroup.idle:
                talkgroup.close()
                del self[key]
                self.on_closed(key)
