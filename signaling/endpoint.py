"""All sockets of one node: taken in, looked after, passed on, closed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice

from signaling.connection import SWEEP_S, Connection, Handler
from signaling.passing import Passage

DUE_AT_ONCE = 32
"""Sockets of which something is due, pings mostly, before the loop may do something else: a millisecond."""


class Endpoint:
    """All sockets of one node.

    Args:
        handler: makes the handler of a socket that was just accepted.
        path: the only path served.
    """

    def __init__(self, handler: Callable[[Connection], Handler], path: str = "/ws") -> None:
        self.handler = handler
        self.path = path
        self.accepting = True
        self.connections: set[Connection] = set()
        self.slow: set[Connection] = set()
        """Those for whom bytes wait that they have not read."""
        self.passages: set[Passage] = set()
        """Clients that other nodes serve, by way of this one; so many were ``passed_on`` so far."""
        self.passed_on = 0
        self.aborted = 0
        """Clients aborted because they did not read."""
        self._sweeper: asyncio.Task[None] | None = None

    def clock(self) -> float:
        """Seconds on the loop's clock."""
        return asyncio.get_running_loop().time()

    def protocol(self, *, settled: bool = False, **_: object) -> Connection:
        """Factory in the form uvicorn calls for an upgraded connection. ``settled``: it is served here in any case."""
        if self._sweeper is None:
            self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
        return Connection(self, settled=settled)

    def served_elsewhere(self, connection: Connection, passage: Passage) -> None:
        """A client is another node's from now on; its bytes go through here."""
        self.connections.discard(connection)
        self.slow.discard(connection)
        self.passages.add(passage)
        self.passed_on += 1

    def passage_ended(self, passage: Passage) -> None:
        """One of those is gone, or comes by another way."""
        self.passages.discard(passage)

    def let_go(self, count: int) -> None:
        """So many of those that other nodes serve have to find another way to them."""
        for passage in tuple(islice(self.passages, count)):
            passage.close()

    def close_all(self, code: int) -> None:
        """Refuse new sockets and close all there are; each that does not answer is aborted within 2 s."""
        self.accepting = False
        self.let_go(len(self.passages))
        for connection in tuple(self.connections):
            connection.close(code)

    def stop(self) -> None:
        """Abort what is left."""
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in tuple(self.connections):
            connection.abort()
        for passage in tuple(self.passages):
            passage.abort()

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            now = self.clock()
            for connection in tuple(self.slow):
                connection.watch()
            due = [connection for connection in self.connections if connection.due_at <= now]
            for number, connection in enumerate(due, 1):
                if connection in self.connections:
                    connection.tick()
                if number % DUE_AT_ONCE == 0:
                    await asyncio.sleep(0)
