"""A clock that only goes on, made of one that may be set."""

from __future__ import annotations

import time
from collections.abc import Callable

PACE = 0.5
"""How fast time goes until a clock that was set back is caught up."""


def monotonic_ms() -> float:
    """Milliseconds on this machine's clock that nobody sets."""
    return time.monotonic() * 1000


class OnwardClock:
    """The time of ``wall``; where that was set back, half as fast until it is caught up.

    It neither goes back nor stands still: deadlines come, and who was away for a while was away.

    Args:
        wall: ms since the epoch.
        ticks: ms of a clock that nobody sets.
    """

    def __init__(self, wall: Callable[[], float], ticks: Callable[[], float] = monotonic_ms) -> None:
        self._wall, self._ticks = wall, ticks
        self._last, self._at = 0.0, ticks()

    def now(self) -> int:
        """Milliseconds since the epoch."""
        at = self._ticks()
        self._last = max(self._wall(), self._last + (at - self._at) * PACE)
        self._at = at
        return int(self._last)
