"""Exports that people asked for: ordered on any node, made in its worker, signed, kept for a day for all nodes.

What is known of them stands in SQL, and the files in the data folder, which nodes share: so any node tells how far one
is and gives it out, also when the one that made it has ended since; and one whose node ends before it is made, another
makes. Each taking over raises its fence, which is in the file's name and is asked for when it is published: what a node
makes that slept meanwhile is neither published nor written over what is.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from pydantic import TypeAdapter

from groups.vocabulary import AgencyId, UserId
from poc_server.ground.refused import Refused
from poc_server.recording.exporting.unheard import Unheard
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import safe_name
from poc_server.recording.proving.notary import Notary
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Store
from poc_server.store.ids import new_id
from poc_server.store.records import exports
from poc_server.store.records.exports import Export, ExportState, Outcome
from poc_server.store.records.recordings import Scope, Search
from poc_server.talk.clock import loop_time
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied

KEPT_S = 24 * 3_600
MOST_WAITING = 20
"""Exports of all people that may be under way at once."""
ATTEMPTS = 2
"""A worker that died in the middle of an export is asked once more."""
MOST_TAKEN_OVER = 5
"""One that every node ends over is given up."""
BEAT_S = 10.0
"""So often a node says that it makes its exports still, takes over lost ones and removes those whose time is over."""
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


wishes: TypeAdapter[Wish] = TypeAdapter(Wish)


class Exports:
    """Orders, and what became of them.

    Args:
        node: this node's name; no other has it.
        recordings: their folder.
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
        recordings: RecordingsFolder,
        folder: Path,
    ) -> None:
        self.kept_s: float = KEPT_S
        self._store = store
        self._worker = worker
        self._settings = settings
        self._notary = notary
        self._node = node
        self._data = data
        self._recordings = recordings
        self._folder = folder
        self._unheard = Unheard(node)
        self._making: dict[Export, asyncio.Task[None]] = {}
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to watch over what is made and what is kept."""
        await asyncio.to_thread(_of_before, self._folder / safe_name(self._node))
        self._task = asyncio.create_task(self._run(), name="exports")

    async def aclose(self) -> None:
        """Let go of what is being made: another node makes it, or the next start."""
        fences = self._fences
        tasks = [*self._making.values(), *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(Refused):
            async with self._store.writing() as connection:
                await exports.alive(connection, fences, exports.LET_GO_MS)

    async def order(self, wish: Wish) -> Export | None:
        """Begin an export; None when too many are under way. Raises `StoreUnavailable`."""
        asked = wishes.dump_json(wish).decode()
        export = Export(new_id("ex"), wish.agency, wish.user, self._node, wish.title, self._store.clock(), wish=asked)
        async with self._store.writing() as connection:
            if not await exports.begin(connection, export, MOST_WAITING):
                return None
        self._begin(export)
        return export

    async def find(self, export: str, user: UserId) -> Export | None:
        """The export of that user with that id, whichever node makes it. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            return await exports.one(connection, export, user, self._store.clock())

    async def of(self, user: UserId) -> list[Export]:
        """Everything that user has asked for in the last day, the newest first. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            return await exports.of(connection, user, self._store.clock())

    def path(self, export: Export) -> Path:
        """Where its ZIP stands once it is ready."""
        return self._folder / f"{_name(export)}.zip"

    async def sweep(self) -> None:
        """Remove what is over its time. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            over = await exports.over(connection, self._store.clock())
        for export in over:
            await self._remove(f"*{export}.*")
        if over:
            async with self._store.writing() as connection:
                await exports.forget(connection, over)

    async def take_over(self) -> None:
        """Make what nobody makes any more. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            signs = await exports.signs(connection)
        mine = self._fences
        for sign in self._unheard.look([sign for sign in signs if mine.get(sign.export) != sign.fence], loop_time()):
            async with self._store.writing() as connection:
                export = await exports.take(connection, sign, self._node, self._store.clock())
            if export is not None:
                log.warning("export_taken_over", export=export.id, of=sign.node, fence=export.fence)
                for earlier in range(export.fence):
                    await self._remove(_files(replace(export, fence=earlier)))
                self._begin(export)

    async def _run(self) -> None:
        while True:
            try:
                if self._making:
                    async with self._store.writing() as connection:
                        await exports.alive(connection, self._fences, self._store.clock())
                await self.take_over()
                await self.sweep()
            except (Refused, OSError) as problem:
                self._unheard.interrupted()
                log.warning("exports_not_swept", problem=str(problem))
            await asyncio.sleep(BEAT_S)

    @property
    def _fences(self) -> dict[str, int]:
        """What this node is making, each with its fence."""
        return {export.id: export.fence for export in self._making}

    def _begin(self, export: Export) -> None:
        self._making[export] = asyncio.create_task(self._made(export), name=f"export-{export.id}")

    async def _made(self, export: Export) -> None:
        """Make it, and say so."""
        try:
            outcome = await self._make(export)
            if not await self._published(export, outcome):
                log.warning("export_was_taken_over", export=export.id, fence=export.fence)
                await self._remove(_files(export))
        finally:
            del self._making[export]

    async def _published(self, export: Export, outcome: Outcome) -> bool:
        """False when another node has taken it over. SQL that is away is waited for, the ZIP is safe meanwhile."""
        while True:
            try:
                async with self._store.writing() as connection:
                    return await exports.end(connection, export, outcome, self._store.clock() + self._kept_ms)
            except Refused:
                await asyncio.sleep(SQL_RETRY_S)

    @property
    def _kept_ms(self) -> int:
        return round(self.kept_s * 1_000)

    async def _make(self, export: Export) -> Outcome:
        if export.fence > MOST_TAKEN_OVER or not export.wish:  # an order of an earlier version has none
            return Outcome(ExportState.FAILED, detail=exports.LOST)
        try:
            signed = await self._signed()
            keys = await asyncio.to_thread(self._notary.trusted)
            made = await self._zipped(export, self._values(export, keys, signed=signed))
            signature = self._notary.key.private.sign(str(made["manifest"]).encode())
            name, archive = "manifest.sha256.sig", str(self.path(export))
            added = await self._worker.run("add_signature", archive=archive, name=name, data=signature.hex())
            return Outcome(ExportState.READY, int(made["recordings"]), int(added["size"]))
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
        await self._remove(_files(export))
        return outcome

    async def _signed(self) -> bool:
        """Sign for all that was kept until now; whether that is done."""
        try:
            await self._notary.sign_now()
        except OSError as problem:  # heads are signed in SQL; the daily file may well be on the disk that is full
            log.warning("daily_heads_not_written", problem=str(problem))
        except Refused:
            return False
        return True

    async def _zipped(self, export: Export, values: dict[str, Any]) -> dict[str, Any]:
        for _ in range(ATTEMPTS - 1):
            with contextlib.suppress(WorkerDied):
                return await self._worker.run("export", **values)
            await self._remove(_files(export))
        return await self._worker.run("export", **values)

    def _values(self, export: Export, keys: dict[str, str], *, signed: bool) -> dict[str, Any]:
        wish = wishes.validate_json(export.wish)
        return {
            "store": self._store.settings.model_dump(mode="json"),
            "data": str(self._data),
            **self._recordings.said(),
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
            "signed": signed,
            "most": self._settings.export_recordings,
            "most_bytes": self._settings.export_bytes,
        }

    async def _remove(self, pattern: str) -> None:
        """ZIPs, and what a worker that died left half made of them."""
        for path in await asyncio.to_thread(lambda: list(self._folder.glob(pattern))):
            with contextlib.suppress(JobFailed, WorkerDied):
                await self._worker.run("remove", paths=[str(path)])


def _name(export: Export) -> str:
    return f"{export.id}.{export.fence}" if export.fence else export.id


def _files(export: Export) -> str:
    return f"*{_name(export)}.zip*"


def _search_values(search: Search) -> dict[str, Any]:
    values = {name: getattr(search, name) for name in Search.__dataclass_fields__}
    area = search.area
    values["area"] = None if area is None else [area.west, area.south, area.east, area.north]
    values["tier"] = None if search.tier is None else int(search.tier)
    return values


def _of_before(folder: Path) -> None:
    """What an earlier version left: nobody has its name any more."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()
