"""Phones that are not where their group belongs are sent there, a silent group at a time.

Who selected another group since he came, or came while a node was away, would stay apart until he comes next; and a
node that was started again would stay empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

import structlog

from groups.vocabulary import GroupId, MonitorScope, Refusal, Tier
from signaling.limits import CLOSE_GOING_AWAY
from signaling.messages import Bye

if TYPE_CHECKING:
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.neighbours.phones.placing import Placing
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup

log = structlog.get_logger(__name__)

LOOKED_AT = 20
"""Groups at a time: to find the home of one takes a look at each of its phones."""


class Gathering:
    """Gathers phones of this node.

    Args:
        after_s: a group that was silent for so long, and those of its phones that have been here so long; 0: none.
        tell: tells the other nodes of a phone that is different.

    Attributes:
        sent: phones that were sent away so far.
    """

    def __init__(self, node: ThisNode, placing: Placing, after_s: float, tell: Callable[[Phone], None]) -> None:
        self._node = node
        self._placing = placing
        self._after_s = after_s
        self._tell = tell
        self._heard: dict[GroupId, float] = {}
        """When somebody was on air there last, or the group began to live here; loop time."""
        self._round: Iterator[GroupId] = iter(())
        self.sent = 0

    def look(self, now: float, clock_ms: int) -> None:
        """To be called about twice a second. ``now``: loop time in seconds; ``clock_ms``: the fabric's clock."""
        if not self._after_s or self._node.draining:
            return
        groups, heard = self._node.talkgroups, self._heard
        self._heard = {group: now if live.bursts.here else heard.get(group, now) for group, live in groups.items()}
        came_before = clock_ms - self._after_s * 1000
        for group in self._next():
            live = groups.get(group)
            if live is not None and now - self._heard[group] >= self._after_s and self._rests(live):
                self._gather(live, came_before)

    def _next(self) -> list[GroupId]:
        found = list(islice(self._round, LOOKED_AT))
        if len(found) < LOOKED_AT:
            self._round = iter(tuple(self._heard))
        return found

    def _rests(self, live: Talkgroup) -> bool:
        """Whether nothing holds its phones where they are."""
        node = self._node
        held = node.roster.is_transient(live.id) or node.joined.of(live.id) is not None
        return not held and not live.queued and node.conditions.of_group(live.id) is Tier.NORMAL

    def _gather(self, live: Talkgroup, came_before: float) -> None:
        going = [phone for phone in live.phones.values() if phone.since <= came_before and self._may_go(phone, live.id)]
        home = self._placing.home(live.id) if going else None
        if home is None:
            return
        for phone in going:
            phone.moves = True
            self._tell(phone)
            phone.send(Bye(code=Refusal.MOVED, message=phone.words(Refusal.MOVED), reconnect=True))
            assert phone.connection is not None  # noqa: S101 - only such may go
            phone.connection.close(CLOSE_GOING_AWAY)
        self.sent += len(going)
        log.info("phones_sent_home", group=live.id, phones=len(going), node=home.id)

    def _may_go(self, phone: Phone, group: GroupId) -> bool:
        """Whether a phone talks in this group, in no other that was brought to it, and hears nothing just now."""
        node, connection = self._node, phone.connection
        if connection is None or connection.fixed or phone.moves or phone.selected != group:
            return False
        if phone.brought or phone.presses or phone.monitors or phone.scope is not MonitorScope.NONE:
            return False
        hears = any(each in node.talkgroups and node.talkgroups[each].bursts.here for each in phone.groups)
        return not hears and not node.conditions.in_sos(phone.user.id)
