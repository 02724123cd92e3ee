"""Runs one state machine of a group: inputs in order, the clock read here, the next deadline armed with one timer."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

import structlog

from poc_server.fabric.interface import Codec, Fabric, Merge, Unavailable
from poc_server.talk.clock import loop_time
from poc_server.talk.slices import SLICE_S

S = TypeVar("S")
log = structlog.get_logger(__name__)

MAX_WAITING = 1_000
"""Inputs of one group that may wait for the fabric; beyond it they are refused, oldest kept."""


class Machine(Codec[S], Protocol[S]):
    """What the runner needs of a pure machine."""

    def handle(self, state: S, given: Any, now: int) -> tuple[S, Sequence[Any]]:
        """One step."""

    def deadline(self, state: S) -> int | None:
        """When a tick is due, ms on the fabric's clock."""


class Runner(Generic[S]):
    """One machine on one key of the fabric.

    Args:
        fabric: where the state lives.
        key: its name there.
        initial: the state before anybody wrote one.
        machine: the pure rules.
        tick: the input that says "time went by".
        on_effects: called with ``(state', effects)`` after every step, of this node or another.
        merge: what holds after a time in which nodes did not see each other.
    """

    def __init__(
        self,
        fabric: Fabric,
        key: str,
        initial: S,
        machine: Machine[S],
        tick: Any,
        on_effects: Callable[[S, Sequence[Any]], None],
        merge: Merge[S] | None = None,
    ) -> None:
        self._fabric = fabric
        self._machine = machine
        self._tick = tick
        self._on_effects = on_effects
        self._waiting: deque[Any] = deque()
        self._pumping: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._watch = fabric.watch(key, initial, machine, self._stepped, merge)

    @property
    def state(self) -> S:
        """The newest state."""
        return self._watch.state

    def submit(self, given: Any) -> bool:
        """Feed one input; False when too many wait already."""
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append(given)
        if self._pumping is None:
            self._pumping = asyncio.get_running_loop().create_task(self._pump())
        return True

    @property
    def busy(self) -> bool:
        """Whether inputs are not written yet."""
        return self._pumping is not None

    async def settled(self) -> None:
        """Returns when all that was submitted is written."""
        while self._pumping is not None:
            await asyncio.wait((self._pumping,))

    def close(self) -> None:
        """Stop following the key."""
        if self._timer is not None:
            self._timer.cancel()
        if self._pumping is not None:
            self._pumping.cancel()
        self._watch.close()

    async def _pump(self) -> None:
        try:
            since = loop_time()
            while self._waiting:
                if loop_time() - since > SLICE_S:
                    await asyncio.sleep(0)  # many steps at once hold up neither voice nor other groups
                    since = loop_time()
                given = self._waiting.popleft()
                try:
                    await self._watch.step(partial(self._handle, given))
                    if self._timer is None:
                        self._arm(self.state)
                except Unavailable:
                    log.warning("fabric_unavailable", input=type(given).__name__)
                except Exception:
                    log.exception("step_failed", input=type(given).__name__)  # what comes after it still counts
        finally:
            self._pumping = None

    def _handle(self, given: Any, state: S, now: int) -> tuple[S, Sequence[Any]]:
        if given is self._tick and self._fabric.jitter_ms:
            due = self._machine.deadline(state)
            if due is None or due > now:
                return state, ()  # another node was quicker
        return self._machine.handle(state, given, now)

    def _stepped(self, state: S, effects: Sequence[Any], version: int) -> None:
        self._arm(state)
        if effects:
            self._on_effects(state, effects)

    def _arm(self, state: S) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        due = self._machine.deadline(state)
        if due is not None:
            # Every node that follows arms the same timer: mostly the first to wake does what is due.
            late = random.uniform(0, self._fabric.jitter_ms) if self._fabric.jitter_ms else 0.0  # noqa: S311
            wait = max(0.0, (due - self._fabric.now() + late) / 1000)
            self._timer = asyncio.get_running_loop().call_later(wait, self._due)

    def _due(self) -> None:
        self._timer = None
        self.submit(self._tick)
