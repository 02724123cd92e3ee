"""Write-behind journal: what must be recorded but may not hold up voice goes to disk first and to SQL after.

``append`` returns at once. A thread writes and syncs; the replayer applies to SQL in order, once each; what was
appended more than ``sync_ms`` ago outlives a crash whether SQL is there or not.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from poc_server.ground.refused import StoreUnavailable
from poc_server.store.audit import AuditEntry
from poc_server.store.ids import now_ms
from poc_server.store.journal import lines
from poc_server.store.journal.alerts import AlertKept, CaseTold
from poc_server.store.journal.base import Record
from poc_server.store.journal.bursts import BurstPlace, BurstRecord
from poc_server.store.journal.ends import BroadcastOver, EmergencyCallOver
from poc_server.store.journal.identity import Identity
from poc_server.store.journal.joins import IncidentJoined
from poc_server.store.journal.kinds import AuditRecord, CallEnded, CallStarted
from poc_server.store.journal.leaders import BroadcastKept, EmergencyCallKept, ReceiptsKept
from poc_server.store.journal.others import OthersJournals
from poc_server.store.journal.readings import TextsRead
from poc_server.store.journal.replay import Replayer
from poc_server.store.journal.shut_out import ShutOut
from poc_server.store.journal.writer import JournalWriter
from poc_server.store.settings import JournalSettings
from poc_server.store.sql.engine import Database

CATCH_UP_S = 1.0
"""Whoever waits for the journal to be in SQL is held up no longer, and may come again."""


@dataclass(frozen=True, slots=True)
class JournalState:
    """For metrics and readiness. ``waiting``: in memory, not on disk yet."""

    appended: int
    written: int
    waiting: int
    applied: int
    dead: int
    lost: int
    sql_away: bool
    disk_failing: bool


class Journal:
    """One node's journal in one folder."""

    def __init__(
        self, folder: Path, database: Database, settings: JournalSettings, clock: Callable[[], int] = now_ms
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.appended = 0
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._writer = JournalWriter(folder, settings, self._synced)
        self.replayer = Replayer(Identity(folder), folder, database, settings, clock)
        self._task: asyncio.Task[None] | None = None
        self._catching_up: set[asyncio.Task[int]] = set()

    def append(self, record: Record) -> None:
        """Take a record, to be on disk within ``sync_ms`` and in SQL soon after. Never waits, never raises for load."""
        if self._writer.put(lines.encode(record.model_dump(mode="json", exclude_none=True))):
            self.appended += 1

    @property
    def full(self) -> bool:
        """Whether the next record would be refused: the disk has failed for so long."""
        return self._writer.full

    def audit(self, entry: AuditEntry) -> None:
        """Take an audit entry that must not wait for SQL."""
        self.append(AuditRecord.of(entry))

    def start(self) -> None:
        """Begin to apply to SQL in the background."""
        if self._task is None:
            self._task = asyncio.create_task(self.replayer.run(self._wake), name="journal-replay")

    async def flush(self) -> None:
        """Return when all that was appended is on disk."""
        await self._writer.flush()

    async def catch_up(self, within_s: float | None = CATCH_UP_S) -> None:
        """Put into SQL what was on disk already, for one who reads there what it changes.

        Raises `StoreUnavailable`, also when so much waits that it takes longer than ``within_s`` (None: never); it goes
        on then, so that who comes again finds it further.
        """
        task = asyncio.create_task(self.replayer.drain(), name="journal-catch-up")
        self._catching_up.add(task)
        task.add_done_callback(self._caught_up)
        await asyncio.wait({task}, timeout=within_s)
        if not task.done():
            raise StoreUnavailable("the journal is behind")
        task.result()

    async def drain(self) -> int:
        """Put all on disk and into SQL now; returns how many records. For tools and tests that have not started it."""
        await self.flush()
        return await self.replayer.drain()

    def state(self) -> JournalState:
        """Counters of this moment."""
        return JournalState(
            self.appended,
            self._writer.written,
            self._writer.waiting,
            self.replayer.applied,
            self.replayer.dead,
            self._writer.lost,
            self.replayer.away,
            self._writer.failing,
        )

    async def aclose(self) -> None:
        """Put all on disk, apply what SQL takes now, stop."""
        await self._writer.aclose()
        for task in tuple(self._catching_up):
            task.cancel()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            with contextlib.suppress(Exception):
                # What does not get in now is still on disk and goes in at the next start.
                await asyncio.wait_for(self.replayer.drain(), 2.0)

    def _caught_up(self, task: asyncio.Task[int]) -> None:
        self._catching_up.discard(task)
        if not task.cancelled():
            task.exception()  # whoever still waits is told; nobody else need be

    def _synced(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop may be closed already
            self._loop.call_soon_threadsafe(self._wake.set)


__all__ = [
    "AlertKept",
    "AuditRecord",
    "BroadcastKept",
    "BroadcastOver",
    "BurstPlace",
    "BurstRecord",
    "CallEnded",
    "CallStarted",
    "CaseTold",
    "EmergencyCallKept",
    "EmergencyCallOver",
    "IncidentJoined",
    "Journal",
    "JournalState",
    "OthersJournals",
    "ReceiptsKept",
    "Record",
    "ShutOut",
    "TextsRead",
]
