"""Voice of other nodes that lay about on its way, because this node or Redis slept: nobody is to hear it now."""

from __future__ import annotations

IN_A_ROW_MS = 500
"""Packets that are late within so long of each other are of one backlog."""
READ_WITHIN_MS = 1_000
"""No backlog takes so long to be read: when packets are late for longer, it is a clock that was set."""
AGREED_MS = 60_000
"""When none was late for so long, the clocks agree again."""


class Backlog:
    """Tells such voice from what is only late. Times in ms on the fabric's clock.

    The nodes share that clock but for a moment after it was set: then voice counts as late that is not, and is carried
    again as soon as that is seen.

    ``limit_ms``: who was silent for longer has been given up, and his phones may be elsewhere.
    """

    __slots__ = ("_began", "_last", "_limit_ms", "_tolerated_ms")

    def __init__(self, limit_ms: int) -> None:
        self._limit_ms = limit_ms
        self._tolerated_ms = 0
        self._began = self._last = 0

    def stale(self, left_ms: int, now_ms: int) -> bool:
        """Whether a packet that left its talker's node at ``left_ms`` is of no use any more."""
        late = now_ms - left_ms
        if late <= self._limit_ms:
            return False
        since_last = now_ms - self._last
        self._last = now_ms
        if since_last > AGREED_MS:
            self._tolerated_ms = 0
        if since_last > IN_A_ROW_MS:
            self._began = now_ms
        if late <= self._limit_ms + self._tolerated_ms:
            return False
        if now_ms - self._began < READ_WITHIN_MS:
            return True
        self._tolerated_ms = late
        return False
