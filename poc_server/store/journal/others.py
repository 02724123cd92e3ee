"""Journals of other nodes that do not bring theirs into SQL: nodes that are gone, or that alone have no SQL."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path

import structlog

from poc_server.store.journal.identity import NAME
from poc_server.store.journal.replay import Replayer, Strange
from poc_server.store.settings import JournalSettings
from poc_server.store.sql.engine import Database

EVERY_S = 30.0
"""So long a journal stands still at least before another node takes it up."""
log = structlog.get_logger(__name__)


class OthersJournals:
    """Looks after the journals that stand beside this node's own in the data folder, which nodes share.

    Args:
        data: the data folder. ``nodes/*/journal`` and, of a city that had one node, ``journal``.
        own: the journal of this node.
        clock: ms since the epoch, that of all nodes.

    Attributes:
        applied: records of others that stand in SQL by this process.
        dead: records of others that can never be applied; they are kept beside these in ``dead.letters``.
    """

    def __init__(
        self, data: Path, own: Path, database: Database, settings: JournalSettings, clock: Callable[[], int]
    ) -> None:
        self.applied = 0
        self.dead = 0
        self._data, self._own = data, own
        self._database, self._settings, self._clock = database, settings, clock
        self._stood: dict[Path, tuple[int, int]] = {}
        """Where each stood at the last look that had more than SQL."""
        self._told: set[Path] = set()
        """Folders with records of another version, each told once."""

    async def look(self) -> int:
        """Bring into SQL what stands as it stood at the look before; returns how many records.

        A folder that cannot be read keeps no other from it. Raises `StoreUnavailable`.
        """
        before, self._stood = self._stood, {}
        known = self.applied
        for folder in await asyncio.to_thread(self._folders):
            try:
                await self._look(folder, before.get(folder))
            except (OSError, UnicodeError) as problem:
                log.warning("journal_of_another_node_unread", folder=str(folder), problem=str(problem))
        return self.applied - known

    async def _look(self, folder: Path, before: tuple[int, int] | None) -> None:
        name = (await asyncio.to_thread((folder / NAME).read_text, "ascii")).strip()
        if not name:  # its node has just begun to write it
            return
        replayer = Replayer(name, folder, self._database, self._settings, self._clock)
        behind = await replayer.behind()
        if behind is None:
            return
        self._stood[folder] = behind
        if before == behind:
            await self._take_up(folder, replayer)

    async def _take_up(self, folder: Path, replayer: Replayer) -> None:
        try:
            await replayer.drain()
        except Strange:
            if folder not in self._told:
                self._told.add(folder)
                log.warning("journal_left_to_its_node", folder=str(folder), reason="records of another version")
        finally:
            self.applied += replayer.applied
            self.dead += replayer.dead
            if replayer.applied:
                log.warning("journal_of_another_node_applied", folder=str(folder), records=replayer.applied)

    def _folders(self) -> Iterable[Path]:
        every = [self._data / "journal", *sorted(self._data.glob("nodes/*/journal"))]
        return [folder for folder in every if folder != self._own and (folder / NAME).is_file()]
