"""The time of one burst: when each packet of it is due, and with which timestamp. Pure; time is an argument."""

from __future__ import annotations

from collections.abc import Sequence

from codec.opus import CLOCK_HZ
from codec.packet import VoicePacket

MAX_SMOOTHED_S = 0.06
"""What is further ahead of the pace of its burst than that is not made to wait: the pace was wrong."""
MAX_LATE_S = 0.3
"""Jitter buffers may take what is so late. More is a standstill, of the uplink or of the phone: they have run dry by
then. It is also how wrong, in all, the pace of a first packet can have been; who is further ahead has stood still."""
CLOCKS_DIFFER = 0.001
"""A phone's clock may be quick by so much, which adds up in an hour of talk."""
WORTH_CHANGING_S = 0.005

Arrived = tuple[float, VoicePacket]
"""A packet and when it came (s)."""


class Pace:
    """The pace a burst is spoken in, as late as its first packet.

    A packet that came quicker over the uplink than the first did is due later than it came. No jitter buffer would play
    it sooner, but to one that hears burst after burst, each begun by a packet of another lateness, early packets make
    all others look late, and it grows.

    After a standstill the burst goes on as one begins: its timestamps move on to the clock, since a jitter buffer takes
    those that stood still for a path as slow as that; and what was kept back with it, and comes all at once, is due at
    the pace it was spoken in. What is more than ``backlog_s`` ahead was not kept back by any standstill.

    Args:
        held: what came before the grant.
        delay: how long the first of it waited for that (s).
        catches_up: voice that somebody answers, in a full duplex call: what stood still is due at once, since jitter
            buffers that have to squeeze it are better than seconds of delay for the rest of the call.
    """

    __slots__ = (
        "_began_at",
        "_delay",
        "_most_ahead",
        "_most_late",
        "_most_quickened",
        "_moved",
        "_moved_before",
        "_newest",
        "_quickened",
        "_stood_still_at",
        "base",
        "standstills",
    )

    def __init__(self, backlog_s: float, held: Sequence[Arrived] = (), delay: float = 0.0, *, catches_up: bool) -> None:
        self.base: float | None = None
        """When a packet with timestamp 0 would have been due (s)."""
        self.standstills = 0
        self._delay = delay
        self._most_ahead = backlog_s + MAX_SMOOTHED_S
        self._most_late = float("inf") if catches_up else MAX_LATE_S
        # Without a bound a phone whose timestamps jump and jump would put the slots of who hears it ahead for minutes.
        self._most_quickened = backlog_s if catches_up else MAX_LATE_S
        self._began_at = 0.0
        self._quickened = self._most_quickened if _kept_back(held) > self._most_late else 0.0
        """By how much the pace of the first packet has turned out too slow (s)."""
        self._newest = -1
        """The highest timestamp so far, as it was placed."""
        self._moved = self._moved_before = 0
        """By how much timestamps are moved since the last standstill, and by how much those of before it."""
        self._stood_still_at = -1
        """The highest timestamp of before the last standstill, as its phone sent it."""

    def place(self, packet: VoicePacket, arrived: float) -> VoicePacket | None:
        """``packet`` with its timestamp in the time of the burst, due at `base` plus that; None: refused."""
        if self._moved:
            packet = self._move(packet)
        timestamp, soonest = packet.timestamp, arrived + self._delay
        if self.base is None:
            self.base, self._began_at = soonest - timestamp / CLOCK_HZ, arrived
        ahead = self.base + timestamp / CLOCK_HZ - soonest
        if ahead > MAX_SMOOTHED_S:
            if ahead > self._most_ahead:
                return None
            self.base -= self._too_slow(ahead, arrived)
        if timestamp > self._newest:
            if ahead < -self._most_late:
                packet = self._go_on(packet, -ahead)
            self._newest = packet.timestamp
        return packet

    def _too_slow(self, ahead: float, arrived: float) -> float:
        """A packet far ahead of its time begins a new pace: the first was an outlier. A backlog does not."""
        slow = ahead - self._moved / CLOCK_HZ
        left = self._most_quickened + CLOCKS_DIFFER * (arrived - self._began_at) - self._quickened
        if slow <= MAX_SMOOTHED_S or left <= WORTH_CHANGING_S:
            return 0.0
        step = min(slow, left)
        self._quickened += step
        return step

    def _go_on(self, packet: VoicePacket, late: float) -> VoicePacket:
        by = round(late * CLOCK_HZ)
        self._stood_still_at = self._newest - self._moved
        self._moved_before = self._moved
        self._moved += by
        self.standstills += 1
        return packet._replace(timestamp=packet.timestamp + by)

    def _move(self, packet: VoicePacket) -> VoicePacket:
        by = self._moved if packet.timestamp > self._stood_still_at else self._moved_before
        return packet._replace(timestamp=packet.timestamp + by)


def _kept_back(held: Sequence[Arrived]) -> float:
    """How much later than the quickest packet the first one came (s): more than jitter, if there was a standstill."""
    if not held:
        return 0.0
    behind = [arrived - packet.timestamp / CLOCK_HZ for arrived, packet in held]
    return behind[0] - min(behind)
