"""Deletes recordings, photos and notes that are over their time: never in silence, never what is held."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import inside
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Actor, Store, audit
from poc_server.store.records import keeping
from poc_server.store.records.keeping import Burial, HoldKind
from poc_server.store.records.recordings import Found
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied

SLICE = 200
"""Recordings looked at in one transaction."""
DAY_MS = 86_400_000
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Terms:
    """How long each recording stays, as set now.

    ``days`` by (agency, kind, target), None for ever; ``default_days`` where no rule is; ``incident_days`` where no
    rule is and the recording belongs to an incident.
    """

    days: Mapping[tuple[str, str, str], int | None]
    holds: tuple[Any, ...]
    default_days: int
    incident_days: int | None

    @property
    def least_days(self) -> int:
        """Nothing younger can be over its time."""
        set_days = [days for days in self.days.values() if days is not None]
        return min([self.default_days, *set_days, *([] if self.incident_days is None else [self.incident_days])])

    def days_of(self, row: Found) -> int | None:
        """How many days this one stays, None for ever. The longer counts where group and incident both say."""
        said = [
            self.days[place]
            for place in ((row.agency_id, "group", row.group_id), (row.agency_id, "incident", row.incident or ""))
            if place in self.days
        ]
        if not said:
            said = [self.incident_days if row.incident else self.default_days]
        kept = [days for days in said if days is not None]
        return max(kept) if len(kept) == len(said) else None

    def held(self, row: Found) -> bool:
        """Whether a legal hold keeps it."""
        return any(_keeps(hold, row) for hold in self.holds)

    def over(self, row: Found, at_ms: int) -> bool:
        """Whether its time is over."""
        days = self.days_of(row)
        return days is not None and row.ended_ms < at_ms - days * DAY_MS and not self.held(row)


class Deletion:
    """Buries what is over its time, and removes the files of what is buried.

    Args:
        folder: that of the recordings. Nothing is taken for removed while its disk is not mounted.
        made: folder of what was made from them for players.

    Attributes:
        stuck: files that could not be removed at the last look; the next one tries again.
    """

    def __init__(
        self, store: Store, worker: WorkerPort, settings: RecordingSettings, folder: RecordingsFolder, made: Path
    ) -> None:
        self.buried = 0
        self.stuck = 0
        self._store = store
        self._worker = worker
        self._settings = settings
        self._folder = folder
        self._made = made
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look every ``delete_every_s``."""
        self._task = asyncio.create_task(self._run(), name="deletion")

    async def aclose(self) -> None:
        """Stop; what is buried and not removed yet, the next start removes."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def run_once(self, at_ms: int | None = None) -> int:
        """Bury what is over its time; returns how many. Raises `StoreUnavailable`.

        What cannot be removed keeps no other from it, unless it is as much as where the disk is gone or read-only.
        """
        at_ms = self._store.clock() if at_ms is None else at_ms
        terms = await self._terms()
        before = at_ms - terms.least_days * DAY_MS
        count = stuck = 0
        for older_than in (keeping.older_than, keeping.materials_older_than):
            last: tuple[int, str] | None = None
            while True:
                async with self._store.reading() as connection:
                    rows = await older_than(connection, before, last, SLICE)
                over = [Burial(row, f"kept {terms.days_of(row)} days") for row in rows if terms.over(row, at_ms)]
                bare = [each for each in over if await self._without_copies(each.row)]
                stuck += len(over) - len(bare)
                if bare:
                    count += await self._bury(bare, at_ms)
                if len(rows) < SLICE or stuck >= SLICE:
                    break
                last = (rows[-1].ended_ms, rows[-1].key)
        self.stuck = stuck + await self.remove_files()
        return count

    async def delete(self, row: Found, actor: Actor, reason: str) -> bool:
        """Delete one on request; False when a legal hold keeps it.

        Refuses: unavailable when SQL is away, or a copy of it cannot be removed.
        """
        if not await self._without_copies(row):
            raise Refused(Refusal.UNAVAILABLE, "a copy made for players cannot be removed")
        if not await self._bury([Burial(row, reason, actor.user)], self._store.clock()):
            return False
        now = self._store.clock()
        entry = audit.entry(actor, now, "recording.delete", "recording", row.key, {"reason": reason}, row.agency_id)
        self._store.journal.audit(entry)
        await self.remove_files()
        return True

    async def remove_files(self) -> int:
        """Remove the files of what is buried; returns how many cannot be removed now. Raises `StoreUnavailable`.

        One that cannot keeps no other from it; where none of a slice can, the disk is gone or read-only.
        """
        stuck = 0
        last: tuple[int, str] | None = None
        while True:
            async with self._store.reading() as connection:
                rows = await keeping.files_to_remove(connection, last, SLICE)
            removed = [await self._removed(row.file) for row in rows]
            stuck += removed.count(False)
            if len(rows) < SLICE or not any(removed):
                break
            last = (rows[-1].buried_ms, rows[-1].file)
        return stuck

    async def _removed(self, name: str) -> bool:
        """Whether a file of what is buried is gone, or none of ours."""
        try:
            if not await self._gone(inside(self._folder.path, name)):
                return False
        except ValueError:
            # Its row was altered. What stands outside is not ours.
            log.error("file_outside_not_removed", file=name)
        async with self._store.writing() as connection:
            await keeping.file_removed(connection, name)
        return True

    async def _without_copies(self, row: Any) -> bool:
        """Whether no copy made for players stands any more. They go first: of what is buried nobody looks for them."""
        forms = ("mp4", "mp3") if row.file else ()
        return all([await self._gone(self._made / f"{row.key}.{form}") for form in forms])

    async def _gone(self, path: Path) -> bool:
        """Whether nothing stands there any more, in a folder that is the one of the recordings."""
        try:
            await self._worker.run("remove", paths=[str(path)], **self._folder.said())
        except (JobFailed, WorkerDied) as problem:
            log.warning("file_not_removed", file=str(path), reason=str(problem))
            return False
        return True

    async def _bury(self, burials: list[Burial], at_ms: int) -> int:
        """Bury what no hold keeps now; returns how many. A hold may have begun since the terms were read."""
        async with self._store.writing() as connection:
            holds = await keeping.holds(connection)
            burials = [each for each in burials if not any(_keeps(hold, each.row) for hold in holds)]
            if burials:
                await keeping.bury(connection, burials, at_ms, self._settings.zone_minutes)
        self.buried += len(burials)
        return len(burials)

    async def _terms(self) -> Terms:
        async with self._store.reading() as connection:
            rules = await keeping.rules(connection)
            holds = await keeping.holds(connection)
        days = {(rule.agency_id, rule.kind, rule.target): rule.days for rule in rules}
        default = self._store.settings.retention.burst_days
        return Terms(days, tuple(holds), default, self._settings.incident_days)

    async def _run(self) -> None:
        while True:
            try:
                if self._store.sound_clock.sound():
                    await self.run_once()
            except (Refused, OSError) as problem:
                log.warning("deletion_put_off", problem=str(problem))
            await asyncio.sleep(self._settings.delete_every_s)


def _keeps(hold: Any, row: Found) -> bool:
    if hold.agency_id != row.agency_id:
        return False
    if hold.from_ms is not None and row.ended_ms < hold.from_ms:
        return False
    if hold.until_ms is not None and row.started_ms > hold.until_ms:
        return False
    named = {
        HoldKind.GROUP: row.group_id,
        HoldKind.INCIDENT: row.incident,
        HoldKind.USER: row.user_id,
        HoldKind.RECORDING: row.key,
    }
    return bool(named[HoldKind(hold.kind)] == hold.target)
