"""Whether the wall clock can be believed: what is deleted because of its age is gone, whatever the clock says later."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)
JUMP_MS = 3_600_000
"""A wall clock that moved so much against the monotonic one was set, by a person or by a broken time server."""


class SoundClock:
    """Compares the wall clock with the monotonic one since the start of this process.

    Args:
        wall: ms since the epoch.
        steady: seconds that only grow.
    """

    def __init__(self, wall: Callable[[], int], steady: Callable[[], float] = time.monotonic) -> None:
        self._wall, self._steady = wall, steady
        self._began = wall() - round(steady() * 1000)
        self._told = False

    def sound(self) -> bool:
        """False while the clock is more than an hour from where it should be by now; a restart believes it anew."""
        off = self._wall() - round(self._steady() * 1000) - self._began
        jumped = abs(off) > JUMP_MS
        if jumped and not self._told:
            log.error("clock_jumped", seconds=off // 1000, effect="nothing is deleted until it is right or restarted")
        self._told = jumped
        return not jumped
