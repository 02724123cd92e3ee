"""Exports that people asked for: ordered on any node, made in its worker, signed, kept for a day for all nodes.

What is known of them stands in SQL, and the files in the data folder, which nodes share: so any node tells how far one
is and gives it out, also when the one that made it has ended since.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from groups.vocabulary import AgencyId, UserId
from poc_server.recording.finisher import WorkerPort
from poc_server.recording.layout import safe_name
from poc_server.recording.notary import Notary
from poc_server.recording.settings import RecordingSettings
from poc_server.refused import Refused
from poc_server.store import Store, exports
from poc_server.store.exports import Export, ExportState, Outcome
from poc_server.store.ids import new_id, now_ms
from poc_server.store.recordings import Scope, Search
from poc_server.work.client import JobFailed, WorkerDied

KEPT_S = 24 * 3_600
MOST_WAITING = 20
"""Exports of all people that may be under way at once."""
ATTEMPTS = 2
"""A worker that died in the middle of an export is asked once more."""
BEAT_S = 10.0
"""So often a node says that it makes its exports still, and removes those whose time is over."""
SQL_RETRY_S = 1.0
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants what exported, and how far his right to it reaches."""

    user: UserId
    agency: AgencyId
    name: str
    scope: Scope
    search: Search
    title: str
    mp3: bool


class Exports:
    """Orders, and what became of them.

    Args:
        node: this node's name; no other has it.
        files: folder of the recordings.
        folder: where exports stand, the same for all nodes.
    """

    def __init__(
        self,
        store: Store,
        worker: WorkerPort,
        settings: RecordingSettings,
        notary: Notary,
        node: str,
        *,
        data: Path,
        files: Path,
        folder: Path,
    ) -> None:
        self.kept_s: float = KEPT_S
        self._store = store
        self._worker = worker
        self._settings = settings
        self._notary = notary
        self._node = node
        self._data = data
        self._files = files
        self._folder = folder
        self._making: dict[str, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch over what is made and what is kept."""
        await asyncio.to_thread(_of_before, self._folder / safe_name(self._node))
        self._task = asyncio.create_task(self._run(), name="exports")

    async def aclose(self) -> None:
        """Give up what is being made."""
        tasks = [*self._making.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Refused):  # the next start gives it up
            await self._give_up()

    async def order(self, wish: Wish) -> Export | None:
        """Begin an export; None when too many are under way. Raises `StoreUnavailable`."""
        export = Export(new_id("ex"), wish.agency, wish.user, self._node, wish.title, now_ms())
        async with self._store.writing() as connection:
            if not await exports.begin(connection, export, MOST_WAITING):
                return None
        self._making[export.id] = asyncio.create_task(self._made(export, wish), name=f"export-{export.id}")
        return export

    async def find(self, export: str, user: UserId) -> Export | None:
        """The export of that user with that id, whichever node makes it. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            return await exports.one(connection, export, user, now_ms())

    async def of(self, user: UserId) -> list[Export]:
        """Everything that user has asked for in the last day, the newest first. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            return await exports.of(connection, user, now_ms())

    def path(self, export: Export) -> Path:
        """Where its ZIP stands once it is ready."""
        return self._folder / f"{export.id}.zip"

    async def sweep(self) -> None:
        """Give up what was lost, and remove what is over its time. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            over = await exports.over(connection, now_ms())
        for export in over:
            await self._remove(export)
        if over:
            async with self._store.writing() as connection:
                await exports.forget(connection, over)

    async def _run(self) -> None:
        given_up = False
        while True:
            try:
                if not given_up:
                    await self._give_up()
                    given_up = True
                if self._making:
                    async with self._store.writing() as connection:
                        await exports.alive(connection, self._making, now_ms())
                await self.sweep()
            except (Refused, OSError) as problem:
                log.warning("exports_not_swept", problem=str(problem))
            await asyncio.sleep(BEAT_S)

    async def _give_up(self) -> None:
        """What this node was making when it ended, and what nodes were that are gone, will not be made any more."""
        now = now_ms()
        async with self._store.writing() as connection:
            gone = await exports.lost(connection, self._node, now, now + self._kept_ms)
        for export in gone:
            await self._remove(export)

    async def _made(self, export: Export, wish: Wish) -> None:
        """Make it, and say so; SQL that is away is waited for, the ZIP is safe meanwhile."""
        try:
            outcome = await self._make(export, wish)
            while True:
                try:
                    async with self._store.writing() as connection:
                        await exports.end(connection, export.id, outcome, now_ms() + self._kept_ms)
                    return
                except Refused:
                    await asyncio.sleep(SQL_RETRY_S)
        finally:
            del self._making[export.id]

    @property
    def _kept_ms(self) -> int:
        return round(self.kept_s * 1_000)

    async def _make(self, export: Export, wish: Wish) -> Outcome:
        try:
            # Heads are signed in SQL; the daily file beside them may well be on the disk that is full.
            with contextlib.suppress(Refused, OSError):
                await self._notary.sign_now()
            keys = await asyncio.to_thread(self._notary.trusted)
            made = await self._zipped(export.id, self._values(export, wish, keys))
            signature = self._notary.key.private.sign(str(made["manifest"]).encode())
            name, archive = "manifest.sha256.sig", str(self.path(export))
            signed = await self._worker.run("add_signature", archive=archive, name=name, data=signature.hex())
            return Outcome(ExportState.READY, int(made["recordings"]), int(signed["size"]))
        except JobFailed as problem:
            too_much = str(problem).startswith("TooMuch")
            state = ExportState.TOO_LARGE if too_much else ExportState.DISK if problem.disk else ExportState.FAILED
            outcome = Outcome(state, detail=str(problem))
        except WorkerDied:
            outcome = Outcome(ExportState.FAILED, detail="the worker died")
        except OSError as problem:
            outcome = Outcome(ExportState.DISK, detail=str(problem))
        log.warning("export_failed", export=export.id, state=outcome.state.value, reason=outcome.detail)
        # One that could not be signed stands whole on a disk that has no room for it.
        await self._remove(export.id)
        return outcome

    async def _zipped(self, export: str, values: dict[str, Any]) -> dict[str, Any]:
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(WorkerDied):
                return await self._worker.run("export", **values)
            await self._remove(export)
        return await self._worker.run("export", **values)

    def _values(self, export: Export, wish: Wish, keys: dict[str, str]) -> dict[str, Any]:
        return {
            "store": self._store.settings.model_dump(mode="json"),
            "data": str(self._data),
            "files": str(self._files),
            "wanted": str(self.path(export)),
            "scope": {
                "user": wish.scope.user,
                "whole": sorted(wish.scope.whole),
                "while_member": sorted(wish.scope.while_member),
                "gone_in": sorted(wish.scope.gone_in),
            },
            "search": _search_values(wish.search),
            "keys": keys,
            "title": wish.title,
            "by": wish.name,
            "at_ms": export.asked_ms,
            "zone_minutes": self._settings.zone_minutes,
            "mp3": wish.mp3,
            "most": self._settings.export_recordings,
            "most_bytes": self._settings.export_bytes,
        }

    async def _remove(self, export: str) -> None:
        """Its ZIP, and what a worker that died left half made of it."""
        halves = await asyncio.to_thread(_halves, self._folder, export)
        for path in (self._folder / f"{export}.zip", *halves):
            with contextlib.suppress(JobFailed, WorkerDied):
                await self._worker.run("remove", path=str(path))


def _search_values(search: Search) -> dict[str, Any]:
    values = {name: getattr(search, name) for name in Search.__dataclass_fields__}
    area = search.area
    values["area"] = None if area is None else [area.west, area.south, area.east, area.north]
    values["tier"] = None if search.tier is None else int(search.tier)
    return values


def _halves(folder: Path, export: str) -> list[Path]:
    """What a worker that died left of an export: a ZIP and a voice for players, both half made."""
    return list(folder.glob(f"*{export}.zip.*"))


def _of_before(folder: Path) -> None:
    """What an earlier version left: nobody has its name any more."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()
