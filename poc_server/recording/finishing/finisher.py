"""What happens to a spool once it is whole: muxed in the worker, its record made durable, then the spool removed.

Each step may be done again: a crash between any two leaves a spool that the next start finishes, with the same result.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.model import Recording
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.spool import SpoolEnd
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied

AT_ONCE = 16
"""Spools that go to the worker in one job: who asks it for something meanwhile waits for no more than these."""
DISK_RETRY_S = 2.0
"""Pause before a spool whose file the disk did not take is tried again; tried for ever, the spool is safe meanwhile."""
WORKER_RETRY_S = 0.1
CATCH_UP_LOOK_S = 0.02
CLOSE_TIMEOUT_S = 5.0
"""How long a stopping node goes on finishing; what is left, the next start finishes."""
_log = structlog.get_logger(__name__)


class RecordSink(Protocol):
    """Where records go."""

    async def recorded(self, records: Sequence[Recording]) -> None:
        """Take records; returns when they will outlive a crash. The same record may come again."""

    def muxing_failed(self, spool: Path, reason: str) -> None:
        """A spool could not be muxed and was put aside: tell operators."""


@dataclass(frozen=True, slots=True)
class _Whole:
    """A spool that is whole; ``end`` where it cannot say itself how its burst ended."""

    path: Path
    end: SpoolEnd | None


@dataclass(frozen=True, slots=True)
class _Failed:
    """A spool of which nothing was made; ``disk`` when that was to blame."""

    reason: str
    disk: bool = False


class Finisher:
    """Finishes spools in their order, those that wait at the same time together: they share ways and waits.

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
        self._queue: asyncio.Queue[_Whole] = asyncio.Queue()
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
        self._queue.put_nowait(_Whole(path, end))

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
            spools = [await self._queue.get()]
            while len(spools) < AT_ONCE and not self._queue.empty():
                spools.append(self._queue.get_nowait())
            try:
                await self._finish_all(spools)
            finally:
                for _ in spools:
                    self._tried += 1
                    self._queue.task_done()

    async def _finish_all(self, spools: Sequence[_Whole]) -> None:
        """Together, and where that fails one by one: one burst's trouble must not end the recording of all others."""
        try:
            await self._finish(spools)
        except Exception as problem:
            if len(spools) == 1:
                await self._put_aside(spools[0], repr(problem))
                return
            for spool in spools:
                await self._finish_all([spool])

    async def _finish(self, spools: Sequence[_Whole]) -> None:
        """What the disk does not take is tried again later; what is no spool is put aside when all others are safe."""
        made: dict[_Whole, Recording] = {}
        failed: dict[_Whole, _Failed] = {}
        left = list(spools)
        for _ in range(self._settings.mux_attempts):
            for spool, answer in zip(left, await self._answers(left), strict=True):
                if isinstance(answer, Recording):
                    made[spool] = answer
                else:
                    failed[spool] = answer
                    _log.warning("muxing_failed", spool=spool.path.name, reason=answer.reason)
            left = [spool for spool in left if spool not in made and not failed[spool].disk]
            if not left:
                break
        if made:
            await self._sink.recorded(list(made.values()))
            await self._until_done("remove", paths=[str(spool.path) for spool in made])
            self.finished += len(made)
        for spool in left:
            await self._put_aside(spool, failed[spool].reason)
        await self._again([spool for spool in spools if spool not in made and spool not in left])

    async def _answers(self, spools: Sequence[_Whole]) -> list[Recording | _Failed]:
        """What the worker makes of each. Raises `WorkerDied` where one of several may be what it died of."""
        try:
            answer = await self._worker.run(
                "mux",
                spools=[[str(spool.path), _told(spool.end)] for spool in spools],
                zone_minutes=self._settings.zone_minutes,
                **self._folder.said(),
            )
        except JobFailed as problem:
            return [_Failed(str(problem), problem.disk)] * len(spools)
        except WorkerDied:
            if len(spools) > 1:
                raise
            return [_Failed("the worker died")]
        return [
            Recording.from_json(one["record"]) if "record" in one else _Failed(one["error"], one["disk"])
            for one in answer["made"]
        ]

    async def _again(self, spools: Sequence[_Whole]) -> None:
        if spools:
            await asyncio.sleep(DISK_RETRY_S)
        for spool in spools:
            self.spooled(spool.path, spool.end)

    async def _put_aside(self, spool: _Whole, reason: str) -> None:
        """Nothing can be made of it now: it is kept, and operators are told."""
        await self._until_done("put_aside", path=str(spool.path), aside=str(self._aside))
        self.failed += 1
        self._sink.muxing_failed(spool.path, reason)

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


def _told(end: SpoolEnd | None) -> list[str | int] | None:
    return None if end is None else [end.outcome.value, end.ended_ms, end.unrecorded]
