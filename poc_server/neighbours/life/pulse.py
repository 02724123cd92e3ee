"""Which of the other nodes live: each says so itself, and Redis knows which of them are still connected to it.

A process that ends closes its connections, so Redis has nobody left who hears that node's channels, the one for words
and the one for voice: its phones need not wait for the lease of its silence. A node that sleeps, or that the network
lost, is silent with its connections open: for that the lease is.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

import structlog

from poc_server.fabric.interface import Unavailable

if TYPE_CHECKING:
    from poc_server.fabric.redis import RedisFabric
    from poc_server.neighbours.known.neighbour import Neighbour

log = structlog.get_logger(__name__)

LOOKS = 3
"""A node whose channels nobody hears, seen so often in a row, has ended. One that lives and has lost its session with
Redis hears voice all the time, and is back at its channel within a tenth of a second where it is not short of time."""
LOOKS_PER_BEAT = 2
ENDED, SILENT = "ended", "silent"
"""Why a node is given up, for the log."""


class Lives(Protocol):
    """Whose life is told, and whose is watched (`poc_server.neighbours.elsewhere`)."""

    fabric: RedisFabric
    nodes: dict[str, Neighbour]

    async def hearing(self, nodes: Iterable[Neighbour]) -> set[str]:
        """Those of ``nodes`` that are connected to Redis. Raises `Unavailable`."""

    def dead(self, neighbour: Neighbour, why: str) -> None:
        """It lives no more."""

    def beat(self) -> None:
        """Say that this node lives."""


class Pulse:
    """Says that this node lives, and watches over the others."""

    def __init__(self, elsewhere: Lives) -> None:
        self._elsewhere = elsewhere
        settings = elsewhere.fabric.settings
        self._look_s = settings.heartbeat_ms / 1000 / LOOKS_PER_BEAT
        self._lease_s = settings.lease_ms / 1000

    async def run(self) -> None:
        """Until it is cancelled."""
        loop, turn = asyncio.get_running_loop(), 0
        while True:
            before = loop.time()
            await asyncio.sleep(self._look_s)
            now = loop.time()
            if now - before > self._look_s + self._lease_s / 2:
                self._heard_nothing(now)  # it slept, and has not read yet what the others said meanwhile
            turn += 1
            try:
                if not self._elsewhere.fabric.alone:
                    await self._look(now)
            except Exception:
                log.exception("look_failed")  # the others would give up a node that ceased to say that it lives
            try:
                if turn % LOOKS_PER_BEAT == 0:
                    self._elsewhere.beat()
            except Exception:
                log.exception("beat_failed")

    async def _look(self, now: float) -> None:
        nodes = self._elsewhere.nodes
        seen = list(nodes.values())
        try:
            hearing = await self._elsewhere.hearing(seen)
        except Unavailable:
            self._heard_nothing(now)  # its own session is gone: that is no silence of others
            return
        for neighbour in seen:
            neighbour.absent = 0 if neighbour.id in hearing else neighbour.absent + 1
            if nodes.get(neighbour.id) is not neighbour:
                continue
            if neighbour.absent >= LOOKS:
                self._elsewhere.dead(neighbour, ENDED)
            elif now - neighbour.heard_at > self._lease_s:
                self._elsewhere.dead(neighbour, SILENT)

    def _heard_nothing(self, now: float) -> None:
        """This node could not hear the others until now: each has its whole lease again."""
        for neighbour in self._elsewhere.nodes.values():
            neighbour.heard_at, neighbour.absent = now, 0
