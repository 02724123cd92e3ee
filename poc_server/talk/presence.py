"""How many members of a group are connected, would hear, wait to talk: told to the group at most once a second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING

from groups.vocabulary import GroupId
from poc_server.talk.phone import person
from signaling.limits import MAX_MONITORS_NAMED
from signaling.messages import GroupPresence

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone

PRESENCE_INTERVAL_S = 1.0


class Presence:
    """Counts per group, and who still has to be told of a change."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._changed: set[GroupId] = set()
        self._told: dict[GroupId, GroupPresence] = {}
        self._task: asyncio.Task[None] | None = None

    def counts(self, group: GroupId) -> GroupPresence:
        """Members of the group, those affiliated here, those of them that would hear now, and those in the queue."""
        now = self._node.loop_time()
        talkgroup = self._node.talkgroups.get(group)
        every = tuple(talkgroup.phones.values()) if talkgroup else ()
        phones = [phone for phone in every if phone.is_in(group)]
        monitors = {p.user.id: p.user for p in every if group in p.monitors and not p.hidden and not p.is_in(group)}
        elsewhere = self._node.elsewhere
        online, listening = (set[str](), set[str]()) if elsewhere is None else elsewhere.users_in(group)
        return GroupPresence(
            group=group,
            members=len(self._node.roster.members(group)),
            online=len({p.user.id for p in phones if p.connection is not None} | online),
            listening=len({p.user.id for p in phones if p.would_hear(now)} | listening),
            monitors=[person(user) for user in list(monitors.values())[:MAX_MONITORS_NAMED]],
            queued=talkgroup.queued if talkgroup else 0,
        )

    def changed(self, groups: Iterable[GroupId]) -> None:
        """Something about these groups' phones is different now."""
        self._changed.update(groups)

    def phone_changed(self, phone: Phone) -> None:
        """Something about a phone of this node is different now."""
        self.changed(phone.groups)
        if self._node.elsewhere is not None:
            self._node.elsewhere.tell(phone)

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
            for key, talkgroup in self._node.talkgroups.items():
                # "Listening" expires by itself, so an active group is counted even when nothing was said.
                if (key in self._changed or talkgroup.phones) and self._node.patches.get(key) is None:
                    now = self.counts(key)
                    if now != self._told.get(key):
                        self._told[key] = now
                        talkgroup.tell(now)
            self._changed.clear()
            self._told = {key: told for key, told in self._told.items() if key in self._node.talkgroups}
