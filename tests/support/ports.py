"""Ports of the loopback that nobody listens on just now."""

from __future__ import annotations

import contextlib
import socket


def free_port() -> int:
    """One for TCP."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def ports_in_a_row(count: int) -> tuple[int, ...]:
    """So many for TCP after each other."""
    while True:
        first = free_port()
        with contextlib.suppress(OSError, OverflowError), contextlib.ExitStack() as held:
            for port in range(first, first + count):
                held.enter_context(socket.create_server(("127.0.0.1", port)))
            return tuple(range(first, first + count))
