"""The native kernel of the fan-out (``_native.c``), where it was built; the same state in Python where not.

A `Line` is what the kernel must know of a slot, a `Sealer` what it must know of a stream: both are the bases of our
own classes, so that each fact stands in one place, whoever sends. The rest of the relay is the same with and without.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Fan = Callable[..., tuple[int, int, list[Any] | None]]
"""``fan(slots, start, route, sequence, timestamp, payload, kind, entry, doubled)``: a packet to 64 slots from ``start``
on. How many were sent to, how many of those the kernel refused, and which slots need more than that."""

try:
    from poc_server.media._native import Key, Line, Sealer
    from poc_server.media._native import fan as _fan

    fan: Fan | None = _fan
except ImportError:  # no C compiler, or no libcrypto 3: batches from Python carry voice then
    fan = None

    class Key:  # type: ignore[no-redef]
        """The session key of one phone, whose streams share it."""

        __slots__ = ()

        def __init__(self, key: bytes) -> None: ...

    class Sealer:  # type: ignore[no-redef]
        """One outgoing SSRC under one key."""

        __slots__ = ("highest",)

        def __init__(self, key: Key, nonce: bytes, ssrc: int) -> None:
            self.highest = -1

    class Line:  # type: ignore[no-redef]
        """One slot of one listener."""

        __slots__ = ("add_sequence", "add_timestamp", "first", "last", "lossy", "route", "sealer")

        def __init__(self) -> None:
            self.first = self.last = self.add_sequence = self.add_timestamp = 0
            self.lossy = False
            self.route = self.sealer = None

        def aim(self, fd: int, name: bytes) -> None:
            """Send from socket ``fd`` to the ``struct sockaddr`` ``name`` from now on."""


AVAILABLE = fan is not None

__all__ = ["AVAILABLE", "Fan", "Key", "Line", "Sealer", "fan"]
