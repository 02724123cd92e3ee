"""The clock all nodes share: Redis's, as far as this node can tell from its own."""

from __future__ import annotations

import time
from collections.abc import Callable

from poc_server.fabric.onward_clock import OnwardClock, monotonic_ms

SAMPLES = 16


def wall_ms() -> float:
    """Milliseconds since the epoch by this machine's clock, which may be wrong."""
    return time.time() * 1000


class FabricClock:
    """Redis TIME, followed by offset. A question that was answered quickly tells the offset best.

    Before the first answer, and while Redis is away, it goes on from what it knows.
    """

    def __init__(self, ticks: Callable[[], float] = monotonic_ms, own: Callable[[], float] = wall_ms) -> None:
        self._ticks, self._own = ticks, own
        self._offset = own() - ticks()
        self._samples: list[tuple[float, float]] = []
        self._onward = OnwardClock(self.wall, ticks)

    def now(self) -> int:
        """Milliseconds since the epoch; they only go on."""
        return self._onward.now()

    def wall(self) -> int:
        """The same, but that it goes back where Redis does."""
        return int(self._ticks() + self._offset)

    def off_ms(self) -> float:
        """How far this machine's own clock is ahead of it."""
        return self._own() - self.wall()

    def ticks(self) -> float:
        """When a question is asked, for `answered`."""
        return self._ticks()

    def answered(self, asked: float, server_ms: float) -> None:
        """Redis said ``server_ms`` to the question of ``asked``."""
        came = self._ticks()
        self._samples.append((came - asked, server_ms - (asked + came) / 2))
        del self._samples[:-SAMPLES]
        self._offset = min(self._samples)[1]

    def restarted(self) -> None:
        """Another Redis may have another clock."""
        self._samples.clear()
