"""The fabric of a single node: everything in the process, nothing to wait for. The default."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from poc_server.fabric.interface import Codec, Merge, Subscriber, Transition
from poc_server.fabric.onward_clock import OnwardClock


@dataclass(slots=True)
class _Entry:
    state: Any
    initial: Any
    version: int = 0
    subscribers: list[Subscriber[Any]] = field(default_factory=list)


class LocalFabric:
    """Implements `interface.Fabric` in one process."""

    jitter_ms = 0

    def __init__(self) -> None:
        self._entries: dict[str, _Entry] = {}
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
        entry = self._entries.setdefault(key, _Entry(initial, initial))
        entry.subscribers.append(subscriber)
        return LocalWatch(self, key, entry, subscriber)

    def forget(self, key: str) -> None:
        """Drop a key nobody watches and that holds nothing beyond its initial state."""
        entry = self._entries.get(key)
        if entry is not None and not entry.subscribers and entry.state == entry.initial:
            del self._entries[key]


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
        self._fabric.forget(self._key)
