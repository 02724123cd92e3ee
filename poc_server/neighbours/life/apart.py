"""Whether this node is on its own: its phones are told, and are told only when it is not so any more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from poc_server.neighbours.life.reunion import Reunion
from poc_server.talk.clock import loop_time

if TYPE_CHECKING:
    from poc_server.fabric.redis.voice import VoiceLine
    from poc_server.fabric.settings import FabricSettings
    from poc_server.neighbours.known.neighbour import Neighbour

log = structlog.get_logger(__name__)

LOOK_S = 0.05
"""On the way back to the others it is looked so often whether all are there."""


class Leads(Protocol):
    """The desk (`poc_server.neighbours.desk.desk`)."""

    @property
    def found(self) -> bool:
        """Whether it is known which node has it."""


class Apart:
    """This node's time on its own.

    Args:
        nodes: the others, as they are known here.
        line: voice between nodes.
        desk: who leads calls and emergencies.
        tell: phones of this node are told that they are on their own, or not any more.
        say: something of this node is told to the others.
    """

    def __init__(
        self,
        settings: FabricSettings,
        nodes: Mapping[str, Neighbour],
        line: VoiceLine,
        desk: Leads,
        tell: Callable[[bool], None],
        say: Callable[[dict[str, Any]], None],
    ) -> None:
        self._reunion = Reunion(settings.lease_ms / 1000)
        self._patience_s = settings.isolated_after_ms / 1000
        self._nodes, self._line, self._desk, self._tell, self._say = nodes, line, desk, tell, say
        self._followed = False
        self._mute: asyncio.TimerHandle | None = None
        self._looking: asyncio.TimerHandle | None = None
        line.on_ready = self._line_ready

    @property
    def now(self) -> bool:
        """Whether this node is on its own."""
        return self._reunion.apart

    @property
    def hears(self) -> bool:
        """Whether what is said on other nodes comes here: floors are followed, and the way for voice is open."""
        return self._followed and self._line.ready

    def begin(self) -> None:
        """Redis is away; the nodes that were known until now are not yet forgotten."""
        self._followed = False
        self._part()

    def end(self) -> None:
        """Redis is back: the way to the others begins."""
        self._line.probe()
        self._come_back()

    def session(self) -> None:
        """Redis is there, and the floors of this node's groups are followed."""
        self._followed = True

    def close(self) -> None:
        """It is over."""
        self._line.on_ready = lambda _: None
        for timer in (self._mute, self._looking):
            if timer is not None:
                timer.cancel()

    def _part(self) -> None:
        told = self._reunion.apart
        self._reunion.parted(each.name for each in self._nodes.values())
        if not told:
            self._tell(True)

    def _come_back(self) -> None:
        self._reunion.began(loop_time())
        if self._looking is None:
            self._look()

    def _look(self) -> None:
        self._looking = None
        found, others = self._desk.found, self._nodes.values()
        if self._reunion.over(loop_time(), voice=self._line.ready, desk=found, others=others):
            log.info("together", nodes=len(others) + 1)
            self._tell(False)
        elif self._reunion.apart:
            self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _line_ready(self, ready: bool) -> None:
        if self._mute is not None:
            self._mute.cancel()
        self._mute = None if ready else asyncio.get_running_loop().call_later(self._patience_s, self._mute_too_long)
        self._say({"hears": self.hears})

    def _mute_too_long(self) -> None:
        """Floors go on, but no voice goes to other nodes, and none comes."""
        if not self._reunion.apart:
            log.error("voice_alone")
            self._part()
            self._come_back()
