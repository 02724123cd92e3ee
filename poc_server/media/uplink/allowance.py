"""What one phone can have said by now: of more, it is a flood or no count of packets that were sent."""

from __future__ import annotations

from codec.opus import CLOCK_HZ

PACE_FACTOR = 1.25
"""Voice may come by so much quicker than time goes: it catches up after an outage, and clocks differ."""
MAX_OUTAGE_S = 10.0
"""Packets of so long may be lost in one go."""
MAX_PACKETS_PER_S = 400
"""Of the shortest frames, 2.5 ms. What skips more numbers than can have been lost of these in `MAX_OUTAGE_S` is
refused: a listener who missed some of such packets could no longer tell which turn of 2^16 the next one is of (RFC 3711
§3.3.1), and his slot would be silent until he connects anew."""


class Allowance:
    """Of one phone, from ``now`` on: ``backlog_s`` of voice at once, and as it is spoken."""

    __slots__ = ("_most", "_samples", "_samples_at", "_skipped_until")

    def __init__(self, backlog_s: float, now: float) -> None:
        self._most = self._samples = backlog_s * CLOCK_HZ
        self._samples_at = now
        self._skipped_until = float("-inf")
        """When time has caught up with the numbers that were skipped, `MAX_PACKETS_PER_S` each second."""

    def speaks(self, samples: int, now: float) -> bool:
        """Whether that much voice more can have been spoken."""
        left = min(self._most, self._samples + (now - self._samples_at) * CLOCK_HZ * PACE_FACTOR)
        self._samples_at = now
        if samples > left:
            self._samples = left
            return False
        self._samples = left - samples
        return True

    def skips(self, packets: int, now: float) -> bool:
        """Whether so many packets can have been lost in one go."""
        if packets <= 0:
            return True
        until = max(self._skipped_until, now - MAX_OUTAGE_S) + packets / MAX_PACKETS_PER_S
        if until > now:
            return False
        self._skipped_until = until
        return True
