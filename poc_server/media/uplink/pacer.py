"""Relays the packets of one burst each in its time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from codec.opus import CLOCK_HZ
from codec.packet import VoicePacket
from poc_server.media.uplink.pace import Arrived, Pace

WORTH_WAITING_S = 0.005
"""What is due sooner is relayed at once: jitter buffers do not see the difference."""
READ_AFTER_S = 0.06
"""Voice and signaling come by two sockets. Where much comes at once, after a standstill, what was said before the
release may be read so long after it; nobody presses again so soon."""


class Onward(Protocol):
    """Where the voice of a burst goes (`poc_server.media.relay.Route`)."""

    def push(self, packet: VoicePacket) -> None:
        """One packet, in its time."""

    def leave_air(self) -> None:
        """What is still to come of a burst that ends is for recorders alone."""


class Pacer:
    """Relays the voice of one burst to ``route`` at its `Pace`: what is held, from now on, and what comes.

    On a quiet path nothing waits, and it costs no timer.
    """

    __slots__ = ("_detach", "_done", "_loop", "_over", "_pace", "_queue", "_route", "_timer")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        route: Onward,
        held: Sequence[Arrived],
        detach: Callable[[Pacer], None],
        backlog_s: float,
        *,
        catches_up: bool = False,
    ) -> None:
        self._loop = loop
        self._route = route
        self._detach = detach
        self._done: Callable[[], None] | None = None
        self._over = False
        delay = loop.time() - held[0][0] if held else 0.0
        self._pace = Pace(backlog_s, held, delay, catches_up=catches_up)
        placed = (self._pace.place(packet, arrived) for arrived, packet in held)
        self._queue = deque(sorted((packet for packet in placed if packet is not None), key=_spoken))
        """What waits, in the order it was spoken in; whenever there is any, there is a timer."""
        # The first packet is due now, but after the caller's turn, in which it sets the audience.
        self._timer: asyncio.Handle | None = loop.call_soon(self._relay) if held else None

    @property
    def standstills(self) -> int:
        """How often its talker's voice stood still."""
        return self._pace.standstills

    def voice(self, packet: VoicePacket, now: float) -> bool:
        """A packet that arrived ``now`` (the loop's clock); false if it is too far ahead to be of this burst."""
        queue, pace = self._queue, self._pace
        before = pace.base
        placed = pace.place(packet, now)
        if placed is None:
            return False
        base, timestamp = pace.base or 0.0, placed.timestamp
        due = base + timestamp / CLOCK_HZ
        if not queue and due - now <= WORTH_WAITING_S:
            self._route.push(placed)
            return True
        at = len(queue)
        while at and queue[at - 1].timestamp > timestamp:  # others overtook it on the way
            at -= 1
        queue.insert(at, placed)
        if at == 0 or due - now <= WORTH_WAITING_S or base != before or self._timer is None:
            self._relay()  # it goes first, or at once, or a new pace has begun
        return True

    def finish(self, done: Callable[[], None]) -> None:
        """The burst is over: relay what waits, in its time, then call ``done``."""
        self._done, self._over = done, True
        if self._queue:
            self._loop.call_later(READ_AFTER_S, self._detach, self)
        else:
            self._detach(self)
            self._finished()

    def cut(self) -> None:
        """Its talker begins another burst: if this one is over, what waits of it is only recorded."""
        if not self._over:
            return
        self._detach(self)
        self._route.leave_air()
        while self._queue:
            self._route.push(self._queue.popleft())
        self._finished()

    def _relay(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        queue, base = self._queue, self._pace.base or 0.0
        soon = self._loop.time() + WORTH_WAITING_S
        while queue and base + queue[0].timestamp / CLOCK_HZ <= soon:
            self._route.push(queue.popleft())
        if queue:
            self._timer = self._loop.call_at(base + queue[0].timestamp / CLOCK_HZ, self._relay)
        elif self._done is not None:
            self._finished()

    def _finished(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        done, self._done = self._done, None
        if done is not None:
            done()


def _spoken(packet: VoicePacket) -> int:
    return packet.timestamp
