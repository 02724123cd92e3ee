"""The fabric of a single node: everything in the process, nothing to wait for. The default."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from poc_server.fabric.interface import Codec, Merge, Subscriber, Transition
from poc_server.fabric.onward_clock import OnwardClock
from poc_server.fabric.settings import FabricSettings


@dataclass(slots=True)
class _Entry:
    state: Any
    initial: Any
    version: int = 0
    subscribers: list[Subscriber[Any]] = field(default_factory=list)


class LocalFabric:
    """Implements `interface.Fabric` in one process."""

    jitter_ms = 0

    def __init__(self, settings: FabricSettings | None = None) -> None:
        self._keep_ms = (settings or FabricSettings()).keep_s * 1000
        self._entries: dict[str, _Entry] = {}
        self._unwatched: dict[str, int] = {}
        """Keys that hold something and that nobody watches, the oldest first: until when they are kept."""
        self._onward = OnwardClock(self.wall)

    def now(self) -> int:
        """Wall-clock ms that only go on."""
        return self._onward.now()

    def wall(self) -> int:
        """Wall-clock ms."""
        return time.time_ns() // 1_000_000

    def watch(
        self,
        key: str,
        initial: Any,
        codec: Codec[Any],
        subscriber: Subscriber[Any],
        merge: Merge[Any] | None = None,
    ) -> LocalWatch:
        """See `interface.Fabric.watch`."""
        self._forget_old()
        self._unwatched.pop(key, None)
        entry = self._entries.setdefault(key, _Entry(initial, initial))
        entry.subscribers.append(subscriber)
        return LocalWatch(self, key, entry, subscriber)

    def unwatched(self, key: str) -> None:
        """One watches a key no more. Where nobody does it is dropped: at once if its state is initial, else in time.

        Each call has a key of its own, and its floor another: kept for ever they would fill the memory.
        """
        entry = self._entries.get(key)
        if entry is None or entry.subscribers:
            return
        self._unwatched.pop(key, None)
        if entry.state == entry.initial:
            del self._entries[key]
        else:
            self._unwatched[key] = self.now() + self._keep_ms

    def _forget_old(self) -> None:
        now = self.now()
        while self._unwatched:
            key, until = next(iter(self._unwatched.items()))
            if until > now:
                return
            del self._unwatched[key], self._entries[key]


class LocalWatch:
    """Implements `interface.Watch` in one process."""

    def __init__(self, fabric: LocalFabric, key: str, entry: _Entry, subscriber: Subscriber[Any]) -> None:
        self._fabric = fabric
        self._key = key
        self._entry = entry
        self._subscriber = subscriber

    @property
    def state(self) -> Any:
        """The state now."""
        return self._entry.state

    async def step(self, transition: Transition[Any]) -> None:
        """Run at once; subscribers are called before this returns."""
        entry = self._entry
        entry.state, events = transition(entry.state, self._fabric.now())
        entry.version += 1
        for subscriber in tuple(entry.subscribers):
            subscriber(entry.state, events, entry.version)

    def close(self) -> None:
        """Stop following."""
        if self._subscriber in self._entry.subscribers:
            self._entry.subscribers.remove(self._subscriber)
        self._fabric.unwatched(self._key)
