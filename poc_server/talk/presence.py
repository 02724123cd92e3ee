"""How many members of a group are connected, would hear, wait to talk: told to the group at most once a second.

Each word goes to every phone of the group, and of a thousand somebody comes or goes all the time: a large group is told
more seldom.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from groups.vocabulary import GroupId, UserId
from poc_server.talk.clock import loop_time
from poc_server.talk.phone import person
from poc_server.talk.slices import SLICE_S
from signaling.limits import MAX_MONITORS_NAMED
from signaling.messages import GroupPresence

if TYPE_CHECKING:
    from groups.model import User
    from poc_server.talk.patch import Joined
    from poc_server.talk.phone import Phone
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroup import Talkgroup
    from poc_server.talk.talkgroups import Talkgroups

PRESENCE_INTERVAL_S = 1.0
LARGE_GROUPS_INTERVAL_S = 10.0
PHONES_TOLD_PER_S = 100
"""In one group, on average, before it counts as large."""


def interval_s(phones: int) -> float:
    """Seconds between two looks at who is in a group of so many phones, unless its queue changes."""
    return min(max(PRESENCE_INTERVAL_S, phones / PHONES_TOLD_PER_S), LARGE_GROUPS_INTERVAL_S)


class Abroad(Protocol):
    """The phones of other nodes (`poc_server.neighbours.phones.abroad`). What it gives is not changed."""

    def users_in(self, group: GroupId) -> tuple[set[UserId], set[UserId]]:
        """Users with a phone connected in ``group`` there, and those of them that would hear."""

    def monitors_of(self, group: GroupId) -> dict[UserId, User]:
        """Users there who hear ``group`` without being in it, and do not hide it."""


class Presence:
    """Counts per group, and who still has to be told of a change.

    Attributes:
        abroad: who is on other nodes; None while there is only this one.
        on_phone: told of each phone of this node that is different now.
    """

    def __init__(self, roster: Roster, talkgroups: Talkgroups, joined: Joined) -> None:
        self._roster = roster
        self._talkgroups = talkgroups
        self._joined = joined
        self.abroad: Abroad | None = None
        self.on_phone: Callable[[Phone], None] = lambda _: None
        self._changed: set[GroupId] = set()
        self._told: dict[GroupId, GroupPresence] = {}
        self._counted_at: dict[GroupId, float] = {}
        self._task: asyncio.Task[None] | None = None

    def counts(self, group: GroupId) -> GroupPresence:
        """Members of the group, those affiliated here, those of them that would hear now, and those in the queue."""
        now = loop_time()
        talkgroup = self._talkgroups.get(group)
        every = tuple(talkgroup.phones.values()) if talkgroup else ()
        phones = [phone for phone in every if phone.is_in(group)]
        monitors = {p.user.id: p.user for p in every if group in p.monitors and not p.hidden and not p.is_in(group)}
        if self.abroad is not None:
            monitors |= self.abroad.monitors_of(group)
        online, listening = (set[UserId](), set[UserId]()) if self.abroad is None else self.abroad.users_in(group)
        return GroupPresence(
            group=group,
            members=len(self._roster.members(group)),
            online=len({p.user.id for p in phones if p.connection is not None} | online),
            listening=len({p.user.id for p in phones if p.would_hear(now)} | listening),
            monitors=[person(user) for user in list(monitors.values())[:MAX_MONITORS_NAMED]],
            queued=talkgroup.queued if talkgroup else 0,
        )

    def participants(self, talkgroup: Talkgroup) -> int:
        """Users in the call of a group now."""
        here = {p.user.id for p in talkgroup.phones.values() if p.connection is not None and p.is_in(talkgroup.id)}
        if self.abroad is None:
            return len(here)
        for group in self._joined.spread(talkgroup.id):
            here |= self.abroad.users_in(group)[0]
        count = len(here)
        if count < 2 and self._roster.is_transient(talkgroup.id):
            # In a call are those the desk says, though the word that their phones are there be still under way.
            count = len(self._roster.members(talkgroup.id))
        return count

    def changed(self, groups: Iterable[GroupId]) -> None:
        """Something about these groups' phones is different now."""
        self._changed.update(groups)

    def phone_changed(self, phone: Phone) -> None:
        """Something about a phone of this node is different now."""
        self.changed(phone.groups)
        self.on_phone(phone)

    def start(self) -> None:
        """Begin telling."""
        self._task = asyncio.get_running_loop().create_task(self._tell())

    def stop(self) -> None:
        """Stop telling."""
        if self._task is not None:
            self._task.cancel()

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(PRESENCE_INTERVAL_S)
            changed, self._changed = self._changed, set()
            until = loop_time() + SLICE_S
            for key, talkgroup in tuple(self._talkgroups.items()):
                # "Listening" expires by itself, so an active group is counted even when nothing was said.
                if (key in changed or talkgroup.phones) and self._joined.get(key) is None:
                    self._look(talkgroup)
                if loop_time() >= until:
                    await asyncio.sleep(0)
                    until = loop_time() + SLICE_S
            self._told = {key: told for key, told in self._told.items() if key in self._talkgroups}
            self._counted_at = {key: at for key, at in self._counted_at.items() if key in self._told}

    def _look(self, talkgroup: Talkgroup) -> None:
        key, now = talkgroup.id, loop_time()
        told = self._told.get(key)
        due_at = self._counted_at.get(key, 0.0) + interval_s(len(talkgroup.phones))
        if told is not None and told.queued == talkgroup.queued and now < due_at:
            return
        self._counted_at[key] = now
        counts = self.counts(key)
        if counts != told:
            self._told[key] = counts
            talkgroup.tell(counts)
