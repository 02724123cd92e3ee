"""The end of a node, gently: it refuses who is new and lets its phones go between bursts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groups.vocabulary import Refusal
from signaling.limits import CLOSE_GOING_AWAY
from signaling.messages import Bye

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone
    from poc_server.talk.phones import Phones
    from poc_server.talk.talkgroups import Talkgroups
    from signaling.endpoint import Endpoint

LOOK_S = 0.05
PHONES_AT_ONCE = 50
"""Phones that go at one look: another node has to take them in."""


@dataclass(frozen=True, slots=True)
class Drain:
    """How the phones of a node go. ``others_take``: whether another node lives that takes phones in."""

    phones: Phones
    talkgroups: Talkgroups
    endpoint: Endpoint
    others_take: Callable[[], bool]

    async def run(self, within_s: float) -> None:
        """Returns when every phone was told to go; where other nodes live, each as soon as it hears nothing."""
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        while loop.time() < end and (self._waits() or self._may_move()):
            # Their voice goes on: it never came through here.
            self.endpoint.let_go(PHONES_AT_ONCE)
            if self._may_move():
                for phone in [phone for phone in self.phones.here() if self._free(phone)][:PHONES_AT_ONCE]:
                    _send_away(phone)
            await asyncio.sleep(LOOK_S)
        for phone in self.phones.here():
            _send_away(phone)
        self.endpoint.close_all(CLOSE_GOING_AWAY)

    def _waits(self) -> bool:
        """Whether there is somebody who hears a burst or talks."""
        return any(group.bursts.here for group in self.talkgroups.values() if group.phones)

    def _may_move(self) -> bool:
        """Whether there are phones here, and another node they can go to."""
        return self.others_take() and any(phone.connection is not None for phone in self.phones.here())

    def _free(self, phone: Phone) -> bool:
        groups = (self.talkgroups.get(group) for group in phone.groups)
        return phone.connection is not None and not any(g.bursts.here for g in groups if g is not None)


def _send_away(phone: Phone) -> None:
    connection = phone.connection
    if connection is not None:
        phone.send(Bye(code=Refusal.DRAINING, message=phone.words(Refusal.DRAINING), reconnect=True))
        connection.close(CLOSE_GOING_AWAY)
