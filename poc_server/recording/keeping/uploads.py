"""Receiving photos and notes from the field: in chunks that may stop, repeat and go on, after days if need be."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import shutil
from collections import defaultdict
from pathlib import Path
from typing import Any

import structlog

from groups.vocabulary import Refusal, UserId
from poc_server.ground.chain import Kind
from poc_server.ground.city_time import city_day
from poc_server.ground.refused import Refused
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import safe_name
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Store
from poc_server.store.records import materials
from poc_server.store.records.materials import Material, MaterialState
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied
from poc_server.work.limits import SUFFIXES

CHUNK_BYTES = 240_000
"""Largest chunk; a larger body is refused before it is read to the end."""
MAX_RECEIVING = 50
"""What one person may have announced and not sent."""
FORGET_MS = 14 * 86_400_000
"""What was announced and never came is forgotten."""
SWEEP_S = 3_600.0
LEFT_TO_VOICE = 10
"""Below this part of `RecordingSettings.warn_free_bytes` the disk is voice's: photos wait on their phones."""
log = structlog.get_logger(__name__)


class Uploads:
    """Photos and notes on their way.

    Args:
        parts: folder of what is being received.
        folder: that of what is kept: of the recordings.
    """

    def __init__(
        self, store: Store, worker: WorkerPort, settings: RecordingSettings, parts: Path, folder: RecordingsFolder
    ) -> None:
        self._store = store
        self._worker = worker
        self._settings = settings
        self._parts = parts
        self._folder = folder
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to forget what never came."""
        self._task = asyncio.create_task(self._run(), name="uploads")

    async def aclose(self) -> None:
        """Stop; uploads go on at the next start where they stopped."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def announce(self, material: Material) -> Any:
        """A device announces something; the same announcement again changes nothing. Returns its row.

        Refuses: conflict when the id is used for something else, no_resources when too much is under way,
        `StoreUnavailable`.
        """
        async with self._turn(material.id):
            async with self._store.writing() as connection:
                known = await materials.find(connection, material.id)
                if known is None:
                    if await materials.receiving(connection, material.user) >= MAX_RECEIVING:
                        raise Refused(Refusal.NO_RESOURCES, f"{MAX_RECEIVING} uploads under way")
                    await materials.announce(connection, material)
                    known = await materials.find(connection, material.id)
                elif not material.same_as(known):
                    raise Refused(Refusal.CONFLICT, "this id was used for something else")
            if known is not None and known.kind == Kind.NOTE.value and known.state == MaterialState.RECEIVING.value:
                await self._keep(known, "")
            return await self._row(material.id)

    async def own(self, material: str, user: UserId) -> Any:
        """The row of what ``user`` announced. Refuses not_found."""
        row = await self._row(material)
        if row is None or row.user_id != user:
            raise Refused(Refusal.NOT_FOUND, "material")
        return row

    async def offset(self, row: Any) -> int:
        """How many bytes are there."""
        if row.state != MaterialState.RECEIVING.value:
            return int(row.size) if row.state == MaterialState.KEPT.value else 0
        return await asyncio.to_thread(_size, self._part(row.id))

    async def take(self, material: str, user: UserId, offset: int, chunk: bytes) -> Any:
        """Take a chunk that belongs at ``offset``; with the last one the whole is judged. Returns the row.

        A chunk that is there already is passed over. Refuses: conflict for a gap or for something that is no longer
        being received, too_large beyond the announced size, unavailable when the disk does not take it, or what is free
        of it is left to voice.
        """
        async with self._turn(material):
            row = await self.own(material, user)
            if row.state == MaterialState.KEPT.value and offset + len(chunk) <= row.size:
                return row
            if row.state != MaterialState.RECEIVING.value:
                raise Refused(Refusal.CONFLICT, row.detail or row.state)
            if offset + len(chunk) > row.size:
                raise Refused(Refusal.TOO_LARGE, f"announced were {row.size} bytes")
            try:
                left = self._settings.warn_free_bytes // LEFT_TO_VOICE
                size = await asyncio.to_thread(_put, self._part(material), offset, chunk, left)
            except OSError as problem:
                raise Refused(Refusal.UNAVAILABLE, problem.strerror or "disk", retry_after_ms=10_000) from None
            if size < offset:
                raise Refused(Refusal.CONFLICT, f"there are {size} bytes")
            if size >= row.size:
                await self._finish(row)
            return await self._row(material)

    async def _finish(self, row: Any) -> None:
        day = city_day(row.begun_ms, self._settings.zone_minutes)
        file = f"{day:%Y/%m/%d}/{safe_name(row.group_id)}/photo-{row.id}.{SUFFIXES[row.media_type]}"
        try:
            await self._worker.run(
                "keep_material",
                part=str(self._part(row.id)),
                wanted=str(self._folder.path / file),
                size=row.size,
                sha256=row.sha256,
                media_type=row.media_type,
                **self._folder.said(),
            )
        except JobFailed as problem:
            if problem.disk:
                raise Refused(Refusal.UNAVAILABLE, "disk", retry_after_ms=10_000) from None
            async with self._store.writing() as connection:
                await materials.refuse(connection, row.id, str(problem).split(": ", 1)[-1])
        except WorkerDied:
            raise Refused(Refusal.UNAVAILABLE, "try again", retry_after_ms=2_000) from None
        else:
            await self._keep(row, file)

    async def _keep(self, row: Any, file: str) -> None:
        async with self._store.writing() as connection:
            await materials.keep(connection, row, file, self._store.clock(), self._settings.zone_minutes)

    async def _row(self, material: str) -> Any:
        async with self._store.reading() as connection:
            return await materials.find(connection, material)

    def _part(self, material: str) -> Path:
        return self._parts / f"{safe_name(material)}.part"

    @contextlib.asynccontextmanager
    async def _turn(self, material: str) -> Any:
        """One request at a time for one upload."""
        lock = self._turns[material]
        async with lock:
            yield
        if not lock.locked():
            self._turns.pop(material, None)

    async def sweep(self) -> None:
        """Forget what never came; nothing while the clock cannot be believed.

        Raises `StoreUnavailable`, `JobFailed`, `WorkerDied`.
        """
        if not self._store.sound_clock.sound():
            return
        async with self._store.writing() as connection:
            gone = await materials.forget(connection, self._store.clock() - FORGET_MS)
        for material in gone:
            await self._worker.run("remove", paths=[str(self._part(material))])

    async def _run(self) -> None:
        while True:
            try:
                await self.sweep()
            except (Refused, JobFailed, WorkerDied) as problem:
                log.warning("uploads_not_swept", problem=str(problem))
            await asyncio.sleep(SWEEP_S)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _put(path: Path, offset: int, chunk: bytes, left: int) -> int:
    """Write what is missing; returns how many bytes are there then, or fewer than ``offset`` when there is a gap.

    Raises OSError, also where less than ``left`` bytes are free.

    Nodes share the folder, and a phone that was not answered asks another one: each waits for what the other writes.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(path.parent).free < left:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = os.fstat(file.fileno()).st_size
        if size < offset or size >= offset + len(chunk):
            return size
        file.write(chunk[size - offset :])
        return offset + len(chunk)
