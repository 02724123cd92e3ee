"""What phones are owed: each change of incidents stands in SQL with what it means to phones, until they were told.

A node may end between the commit and the telling, or lose SQL there and not know whether the change stands. What is
left of either, whichever node finds it first tells: after a while in which the one that made the change would have done
it, and in which phones of a node that ended are back.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from poc_server.bridge.telling import Telling
from poc_server.ground.refused import StoreUnavailable
from poc_server.store import Change, Store
from poc_server.store.bridge import incidents, untold
from poc_server.store.bridge.untold import Untold

log = structlog.get_logger(__name__)


class Owed:
    """Which changes this node is about to tell, has told, or takes over from one that did not.

    Args:
        telling: tells what was taken over.
        after_s: how long a change may stand untold before another node tells it.
        look_s: between two looks for such.
    """

    def __init__(self, store: Store, telling: Telling, after_s: float, look_s: float) -> None:
        self._store, self._telling, self._after_s, self._look_s = store, telling, after_s, look_s
        self._own: set[int] = set()
        self._told: set[int] = set()
        self._not_before = 0.0

    def start(self) -> None:
        """Needs a running loop. Nothing is taken over at once: phones that lost this node before come back first."""
        self._not_before = asyncio.get_running_loop().time() + self._after_s

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Change]:
        """A change of the directory that this node tells and then says so (`told`). Raises as `Store.change`."""
        version = 0
        try:
            async with self._store.change() as change:
                version = change.version
                self._own.add(version)
                yield change
        except BaseException:
            # If it stands, it is told as what a node left that is gone.
            self._own.discard(version)
            raise

    def told(self, version: int) -> None:
        """All that came with this change was told."""
        self._told.add(version)

    async def settle(self) -> None:
        """Takes out of SQL what was told, and tells what was left, at the next look. Raises `StoreUnavailable`."""
        found = await self._store.looks.ask(
            lambda connection: untold.left(connection, self._before(self._store.clock())), self._look_s
        )
        left = set(found) - self._own
        await self._forget()
        if left and asyncio.get_running_loop().time() >= self._not_before:
            now = self._store.clock()
            async with self._store.writing() as connection:
                taken = await untold.take_over(connection, left, self._before(now), now)
            await self._tell(taken)

    def _before(self, now: int) -> int:
        return now - round(self._after_s * 1000)

    async def aclose(self) -> None:
        """Nothing that was told is told again after a restart."""
        with suppress(StoreUnavailable):
            await self._forget()

    async def _forget(self) -> None:
        if told := set(self._told):
            async with self._store.writing() as connection:
                await untold.forget(connection, told)
            self._told -= told
            self._own -= told

    async def _tell(self, taken: list[Untold]) -> None:
        """As the incidents are by now: what became of one meanwhile, phones learn with it."""
        for each in taken:
            try:
                await self._tell_late(each)
            except StoreUnavailable:
                raise
            except Exception:
                # Tried again and again, it would stand for ever before all that came after it.
                log.exception("incident_not_told", incident=each.code)
        for version in {each.version for each in taken}:
            self.told(version)

    async def _tell_late(self, owed: Untold) -> None:
        async with self._store.reading() as connection:
            state = await incidents.find(connection, owed.agency, owed.code)
        if state is not None:
            log.warning("incident_told_late", incident=owed.code, version=owed.version)
            self._telling.late(owed, state)
