"""Ports of the loopback for the servers of tests: of this process alone till it ends.

A port that was free a moment ago is soon another's where the system gives ports out itself: so these are below that
range, and who takes one says so where all processes of this machine see it.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket

FIRST, BEHIND = 12_000, 32_000
"""Linux gives out ports from 32768 on."""
_claims: list[contextlib.ExitStack] = []
_next = itertools.cycle(range(FIRST, BEHIND))
for _ in range(os.getpid() * 97 % (BEHIND - FIRST)):
    next(_next)


def free_port() -> int:
    """One for TCP."""
    return ports_in_a_row(1)[0]


def ports_in_a_row(count: int) -> tuple[int, ...]:
    """So many for TCP after each other."""
    while True:
        first = next(_next)
        ports = tuple(range(first, first + count))
        with contextlib.suppress(OSError), contextlib.ExitStack() as held, contextlib.ExitStack() as claimed:
            for port in ports:
                held.enter_context(socket.create_server(("127.0.0.1", port)))
                claimed.enter_context(socket.socket(socket.AF_UNIX)).bind(f"\0poc-test-port-{port}")
            _claims.append(claimed.pop_all())
            return ports
