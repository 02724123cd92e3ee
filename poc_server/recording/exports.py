"""Exports that people asked for: ordered here, made in the worker, signed here, kept for a day."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import structlog

from groups.vocabulary import AgencyId, UserId
from poc_server.recording.finisher import WorkerPort
from poc_server.recording.notary import Notary
from poc_server.recording.settings import RecordingSettings
from poc_server.refused import Refused
from poc_server.store import Store
from poc_server.store.ids import new_id, now_ms
from poc_server.store.recordings import Scope, Search
from poc_server.work.client import JobFailed, WorkerDied

KEPT_S = 24 * 3_600
MOST_WAITING = 20
"""Exports of all people that may be under way at once."""
log = structlog.get_logger(__name__)


class ExportState(StrEnum):
    """How far an export is."""

    MAKING = "making"
    READY = "ready"
    TOO_LARGE = "too_large"
    DISK = "disk"
    """The disk did not take it: full, read-only or gone. Nothing of it is left there."""
    FAILED = "failed"


@dataclass(slots=True)
class Export:
    """One export; lost when the node ends, and asked for again."""

    id: str
    user: UserId
    agency: AgencyId
    title: str
    path: Path
    asked_ms: int
    state: ExportState = ExportState.MAKING
    recordings: int = 0
    size: int = 0
    detail: str = ""


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
        files: folder of the recordings.
        folder: where exports are made; emptied at each start.
    """

    def __init__(
        self,
        store: Store,
        worker: WorkerPort,
        settings: RecordingSettings,
        notary: Notary,
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
        self._data = data
        self._files = files
        self._folder = folder
        self._all: dict[str, Export] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Remove what an earlier run left: nobody has its name any more."""
        await asyncio.to_thread(_empty, self._folder)

    async def aclose(self) -> None:
        """Give up what is being made; what is kept is removed at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def order(self, wish: Wish) -> Export | None:
        """Begin an export; None when too many are under way."""
        if sum(each.state is ExportState.MAKING for each in self._all.values()) >= MOST_WAITING:
            return None
        made = new_id("ex")
        export = Export(made, wish.user, wish.agency, wish.title, self._folder / f"{made}.zip", now_ms())
        self._all[made] = export
        task = asyncio.create_task(self._make_and_keep(export, wish), name=f"export-{made}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return export

    def find(self, export: str, user: UserId) -> Export | None:
        """The export of that user with that id."""
        found = self._all.get(export)
        return found if found is not None and found.user == user else None

    def of(self, user: UserId) -> list[Export]:
        """Everything that user has asked for in the last day, the newest first."""
        return sorted((each for each in self._all.values() if each.user == user), key=lambda e: -e.asked_ms)

    async def _make_and_keep(self, export: Export, wish: Wish) -> None:
        await self._make(export, wish)
        await asyncio.sleep(self.kept_s)
        del self._all[export.id]
        await self._remove(export)

    async def _make(self, export: Export, wish: Wish) -> None:
        try:
            # Heads are signed in SQL; the daily file beside them may well be on the disk that is full.
            with contextlib.suppress(Refused, OSError):
                await self._notary.sign_now()
            keys = await asyncio.to_thread(self._notary.trusted)
            made = await self._worker.run("export", **self._values(export, wish, keys))
            export.recordings = int(made["recordings"])
            signature = self._notary.key.private.sign(str(made["manifest"]).encode())
            name = "manifest.sha256.sig"
            signed = await self._worker.run("add_signature", archive=str(export.path), name=name, data=signature.hex())
            export.size = int(signed["size"])
            export.state = ExportState.READY
        except JobFailed as problem:
            too_much = str(problem).startswith("TooMuch")
            export.state = (
                ExportState.TOO_LARGE if too_much else ExportState.DISK if problem.disk else ExportState.FAILED
            )
            export.detail = str(problem)[:200]
            log.warning("export_failed", export=export.id, reason=str(problem))
        except WorkerDied:
            export.state, export.detail = ExportState.FAILED, "the worker died"
        except OSError as problem:
            export.state, export.detail = ExportState.DISK, str(problem)[:200]
            log.warning("export_failed", export=export.id, reason=str(problem))
        if export.state is not ExportState.READY:
            # One that could not be signed stands whole on a disk that has no room for it.
            await self._remove(export)

    def _values(self, export: Export, wish: Wish, keys: dict[str, str]) -> dict[str, Any]:
        return {
            "store": self._store.settings.model_dump(mode="json"),
            "data": str(self._data),
            "files": str(self._files),
            "wanted": str(export.path),
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

    async def _remove(self, export: Export) -> None:
        with contextlib.suppress(JobFailed, WorkerDied):
            await self._worker.run("remove", path=str(export.path))


def _search_values(search: Search) -> dict[str, Any]:
    values = {name: getattr(search, name) for name in Search.__dataclass_fields__}
    area = search.area
    values["area"] = None if area is None else [area.west, area.south, area.east, area.north]
    values["tier"] = None if search.tier is None else int(search.tier)
    return values


def _empty(folder: Path) -> None:
    """No export outlives the node that knows of it."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
