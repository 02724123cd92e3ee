"""Whether SQL answers in time, asked again and again, so that nobody in danger is the first to find out."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poc_server.store import Store
    from poc_server.talk.later import Later

ASK_EVERY_S = 1.0
SQL_WITHIN_S = 0.5
"""SQL may take so long; then the disk stands in for it, and SQL may still do its part: it changes nothing twice."""


class SqlWatch:
    """Asks while this node leads emergencies.

    Attributes:
        silent: SQL is away, or did not answer within ``within_s``: what is to be kept goes to the disk at once.
    """

    def __init__(self, store: Store, later: Later, within_s: float = SQL_WITHIN_S) -> None:
        self.silent = False
        self._store = store
        self._later = later
        self._within_s = within_s
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """From now on; may be asked again."""
        if self._task is None or self._task.done():
            self._task = self._later.beside(self._watch())

    def rest(self) -> None:
        """No longer."""
        if self._task is not None:
            self._task.cancel()
        self._task, self.silent = None, False

    async def _watch(self) -> None:
        while True:
            asked = self._later.beside(self._store.answers())
            await asyncio.wait({asked}, timeout=self._within_s)
            if not asked.done():
                self.silent = True  # frozen, or all its connections are taken: it may hang for long
                await asyncio.wait({asked})
            self.silent = asked.exception() is not None or not asked.result()
            await asyncio.sleep(ASK_EVERY_S)
