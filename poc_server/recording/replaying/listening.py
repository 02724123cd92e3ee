"""Audio for players: the file as it is kept, or made on the fly in the worker for players that cannot take it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from poc_server.recording.layout import has_file, inside
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied


class AudioForm(StrEnum):
    """Forms in which a recording can be had."""

    OGG = "ogg"
    MP4 = "mp4"
    MP3 = "mp3"

    @property
    def media_type(self) -> str:
        """Its media type."""
        return {AudioForm.OGG: "audio/ogg", AudioForm.MP4: "audio/mp4", AudioForm.MP3: "audio/mpeg"}[self]


def disk_away() -> Refused:
    """A file cannot be had, and is not gone: nobody shall take it for lost."""
    return Refused(Refusal.RECORDINGS_AWAY, "the disk of the recordings is not there", retry_after_ms=10_000)


class Listening:
    """Finds or makes the file to be played.

    Args:
        files: folder of the recordings.
        made: folder of what was made for players; may be emptied at any time.
        here: whether that folder stands there just now (`RecordingsFolder.is_there`); may block.
    """

    def __init__(self, worker: WorkerPort, files: Path, made: Path, here: Callable[[], bool] = lambda: True) -> None:
        self._worker = worker
        self._files = files
        self._made = made
        self._here = here
        self._making: dict[Path, asyncio.Task[Path]] = {}

    async def file(self, key: str, relative: str, form: AudioForm) -> Path:
        """The file of recording ``key`` in ``form``.

        Refuses: not_found when the file is not there, recordings_away when its disk is not, unavailable when it cannot
        be made now.
        """
        path = await self.kept(relative)
        if form is AudioForm.OGG:
            return path
        wanted = self._made / f"{key}.{form.value}"
        task = self._making.get(wanted)
        if task is None:
            task = self._making[wanted] = asyncio.create_task(self._make(path, wanted, form))
            task.add_done_callback(lambda _: self._making.pop(wanted, None))
        return await asyncio.shield(task)

    async def form_of(self, path: Path, form: AudioForm) -> Path:
        """A file of ours in another form, beside it. Refuses unavailable when it cannot be made now."""
        return path if form is AudioForm.OGG else await self._make(path, path.with_suffix(f".{form.value}"), form)

    async def kept(self, relative: str) -> Path:
        """The file as it is kept. Refuses: not_found when it is not there, recordings_away when its disk is not."""
        try:
            path = inside(self._files, relative)
        except ValueError:
            raise Refused(Refusal.NOT_FOUND, "file") from None
        if not relative or not await asyncio.to_thread(has_file, path):
            if not await asyncio.to_thread(self._here):
                raise disk_away()
            raise Refused(Refusal.NOT_FOUND, "the file is not on this node's disk")
        return path

    async def _make(self, source: Path, wanted: Path, form: AudioForm) -> Path:
        if not await asyncio.to_thread(wanted.is_file):
            try:
                await self._worker.run("convert", source=str(source), wanted=str(wanted), form=form.value)
            except (JobFailed, WorkerDied) as problem:
                raise Refused(Refusal.UNAVAILABLE, f"cannot be converted: {problem}"[:200]) from None
        return wanted
