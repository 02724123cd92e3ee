"""What happens to a spool once it is whole: muxed in the worker, its record made durable, then the spool removed.

Each step may be done again: a crash between any two leaves a spool that the next start finishes, with the same result.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Protocol

import structlog

from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.model import Recording
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.spool import SpoolEnd
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied

DISK_RETRY_S = 2.0
"""Pause before a spool whose file the disk did not take is tried again; tried for ever, the spool is safe meanwhile."""
WORKER_RETRY_S = 0.1
CATCH_UP_LOOK_S = 0.02
CLOSE_TIMEOUT_S = 5.0
"""How long a stopping node goes on finishing; what is left, the next start finishes."""
_log = structlog.get_logger(__name__)


class RecordSink(Protocol):
    """Where records go."""

    async def recorded(self, record: Recording) -> None:
        """Take one record; returns when it will outlive a crash. The same record may come again."""

    def muxing_failed(self, spool: Path, reason: str) -> None:
        """A spool could not be muxed and was put aside: tell operators."""


class Finisher:
    """Finishes spools one after the other.

    Args:
        aside: folder for spools that cannot be muxed.
        folder: where finished files stand.
    """

    def __init__(
        self, worker: WorkerPort, sink: RecordSink, aside: Path, folder: RecordingsFolder, settings: RecordingSettings
    ) -> None:
        self.finished = 0
        self.failed = 0
        self._given = 0
        self._tried = 0
        self._worker = worker
        self._sink = sink
        self._aside = aside
        self._folder = folder
        self._settings = settings
        self._queue: asyncio.Queue[tuple[Path, SpoolEnd | None]] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._task = asyncio.create_task(self._run(), name="finisher")

    @property
    def waiting(self) -> int:
        """Spools still to be taken up."""
        return self._queue.qsize()

    def spooled(self, path: Path, end: SpoolEnd | None = None) -> None:
        """A spool is whole. ``end``: how the burst ended, where the disk would not take that into the spool."""
        self._given += 1
        self._queue.put_nowait((path, end))

    async def caught_up(self) -> None:
        """Returns when every spool given so far was tried once, whatever comes after."""
        given = self._given
        while self._tried < given:  # noqa: ASYNC110 - asked for rarely, told of often
            await asyncio.sleep(CATCH_UP_LOOK_S)

    async def drained(self) -> None:
        """Returns when every spool given so far is finished or put aside."""
        await self._queue.join()

    async def aclose(self) -> None:
        """Finish what waits, as far as time allows, then stop."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._queue.join()
        except TimeoutError:
            _log.warning("spools_left_for_next_start", count=self.waiting + 1)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def _run(self) -> None:
        while True:
            spool, end = await self._queue.get()
            try:
                await self._finish(spool, end)
            except Exception as problem:  # one burst's trouble must not end the recording of all others
                await self._put_aside(spool, repr(problem))
            finally:
                self._tried += 1
                self._queue.task_done()

    async def _finish(self, spool: Path, end: SpoolEnd | None) -> None:
        record = await self._muxed(spool, end)
        if record is None:
            return
        await self._sink.recorded(record)
        await self._until_done("remove", path=str(spool))
        self.finished += 1

    async def _muxed(self, spool: Path, end: SpoolEnd | None) -> Recording | None:
        """The record, or None: to be tried again when the disk is at fault, put aside when the spool is."""
        reason = ""
        for _ in range(self._settings.mux_attempts):
            try:
                values = await self._worker.run(
                    "mux",
                    spool=str(spool),
                    **self._folder.said(),
                    zone_minutes=self._settings.zone_minutes,
                    end=None if end is None else [end.outcome.value, end.ended_ms, end.unrecorded],
                )
            except (JobFailed, WorkerDied) as problem:
                reason = str(problem) or "the worker died"
                _log.warning("muxing_failed", spool=spool.name, reason=reason)
                if isinstance(problem, JobFailed) and problem.disk:
                    await asyncio.sleep(DISK_RETRY_S)
                    self.spooled(spool, end)
                    return None
            else:
                return Recording.from_json(values)
        await self._put_aside(spool, reason)
        return None

    async def _put_aside(self, spool: Path, reason: str) -> None:
        """Nothing can be made of it now: it is kept, and operators are told."""
        await self._until_done("put_aside", path=str(spool), aside=str(self._aside))
        self.failed += 1
        self._sink.muxing_failed(spool, reason)

    async def _until_done(self, job: str, **values: Any) -> dict[str, Any]:
        """A job that must be done: a worker that died is asked again. One that fails is logged and left."""
        while True:
            try:
                return await self._worker.run(job, **values)
            except WorkerDied:
                await asyncio.sleep(WORKER_RETRY_S)
            except JobFailed as problem:
                _log.warning("file_work_failed", job=job, reason=str(problem))
                return {}
