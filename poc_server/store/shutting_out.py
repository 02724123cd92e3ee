"""Devices and people are disabled at once (遥毙), also while SQL is away.

Then it is kept by the journal of every node that hears of it, and from that moment on nobody of them is let in by any
of these nodes; what SQL says of them counts again when it has learned it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from poc_server.ground.refused import StoreUnavailable
from poc_server.store.audit import Actor
from poc_server.store.change import Change
from poc_server.store.directory import Directory
from poc_server.store.directory.snapshot import Delta
from poc_server.store.journal import CATCH_UP_S, Journal, ShutOut
from poc_server.store.journal.shut_out import What, disable

AT_ONCE_S = 1.0
"""What SQL has not done by then, the journal does."""


class Kept(Protocol):
    """Where it is written (`poc_server.store.store.Store`)."""

    clock: Callable[[], int]
    directory: Directory
    journal: Journal

    def change(self, actor: Actor, at_ms: int) -> AbstractAsyncContextManager[Change]:
        """Change SQL and the directory. Raises `StoreUnavailable`."""

    async def refresh(self) -> None:
        """Read what changed. Raises `StoreUnavailable`."""

    async def believe(self, out: Mapping[str, int]) -> None:
        """Take what SQL says of who was shut out at these times (ms). Raises `StoreUnavailable`."""


class ShuttingOut:
    """Part of `Store`.

    Attributes:
        tell: says to the other nodes who was disabled while SQL cannot tell them.
    """

    def __init__(self, store: Kept) -> None:
        self.tell: Callable[[ShutOut], None] = lambda _: None
        self._store = store
        self._learned: dict[str, ShutOut] = {}

    async def disable(self, actor: Actor, what: What, target: str) -> bool:
        """Disable a device or a person. False: it is done, and SQL will learn it when it is back.

        Refuses who is not there (not_found).
        """
        record = ShutOut.of(actor, self._store.clock(), what, target)
        try:
            async with asyncio.timeout(AT_ONCE_S), self._store.change(actor, record.at_ms) as change:
                await disable(change, record)
        except (StoreUnavailable, TimeoutError):
            # It may be committed all the same: then the journal finds it there.
            self.learn(record)
            self.tell(record)
            return False
        return True

    def learn(self, record: ShutOut) -> None:
        """Somebody was disabled; SQL does not say so yet. What is learned again changes nothing."""
        if record.id in self._learned:
            return
        self._learned[record.id] = record
        self._store.journal.append(record)
        directory = self._store.directory
        directory.patch(Delta(directory.version, shut_out={record.target: record.at_ms}))

    def tell_again(self) -> None:
        """Another node may have missed who is shut out."""
        out = self._store.directory.snapshot.shut_out
        for record in self._learned.values():
            if out.get(record.target) == record.at_ms:
                self.tell(record)

    async def settle(self, within_s: float | None = CATCH_UP_S) -> None:
        """Let SQL learn who was shut out, and believe what it says of them from then on.

        Raises `StoreUnavailable`, also when that takes longer than ``within_s`` (None: never).
        """
        store, directory = self._store, self._store.directory
        out = directory.snapshot.shut_out
        if not out:
            return
        try:
            async with asyncio.timeout(within_s):
                await store.journal.flush()
                await store.journal.catch_up(None)
        except TimeoutError:
            raise StoreUnavailable("the journal is behind") from None
        await store.refresh()
        await store.believe(out)
