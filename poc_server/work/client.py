"""The node's side of the worker: starts it, speaks to it, starts it again when it dies."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
from contextlib import suppress
from typing import Any

import structlog

from poc_server.work import Values

RESTART_FIRST_S = 0.1
RESTART_LONGEST_S = 5.0
CLOSE_TIMEOUT_S = 10.0
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_log = structlog.get_logger(__name__)


class JobFailed(Exception):
    """The worker tried the job and it failed; ``disk`` when the disk was to blame, so that later it may succeed."""

    def __init__(self, text: str, disk: bool = False) -> None:
        super().__init__(text)
        self.disk = disk


class WorkerDied(Exception):
    """The worker ended while the job was with it; it may be asked again."""


class Worker:
    """One worker process and its conversation."""

    def __init__(self) -> None:
        self.restarts = 0
        self._numbers = itertools.count(1)
        self._open: dict[int, asyncio.Future[Values]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls) -> Worker:
        """Start the process."""
        worker = cls()
        await worker._spawn()
        worker._keeper = asyncio.create_task(worker._keep(), name="worker")
        return worker

    @property
    def pid(self) -> int | None:
        """Process id of the worker that runs now."""
        return self._process.pid if self._process is not None else None

    async def run(self, job: str, **values: Any) -> Values:
        """Have ``job`` done.

        Raises:
            JobFailed: it was tried and failed.
            WorkerDied: the worker ended before it answered.
        """
        await self._ready.wait()
        process = self._process
        if process is None or process.stdin is None:
            raise WorkerDied(job)
        number = next(self._numbers)
        answer: asyncio.Future[Values] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        request = {"id": number, "job": job, "values": values}
        try:
            process.stdin.write(json.dumps(request, ensure_ascii=False).encode() + b"\n")
            return await answer
        finally:
            self._open.pop(number, None)

    async def aclose(self) -> None:
        """Let the worker finish what it has begun, then end it."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        self._keeper = None
        process, self._process = self._process, None
        if process is not None:
            await _end(process)
        self._ready.set()
        self._fail_open()

    async def _spawn(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "poc_server.worker",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=MAX_ANSWER_BYTES,
        )
        self._ready.set()

    async def _keep(self) -> None:
        pause = RESTART_FIRST_S
        while True:
            process = self._process
            if process is not None and await self._hear(process):
                pause = RESTART_FIRST_S
            self._ready.clear()
            self._process = None
            self._fail_open()
            self.restarts += 1
            _log.warning("worker_ended", code=process.returncode if process else None, restart_in_s=pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, RESTART_LONGEST_S)
            with suppress(OSError):
                await self._spawn()

    async def _hear(self, process: asyncio.subprocess.Process) -> bool:
        """Take answers until the worker ends; whether it gave any."""
        answered = False
        assert process.stdout is not None  # noqa: S101 - it was started with a pipe
        while line := await process.stdout.readline():
            answered = True
            self._take(json.loads(line))
        await process.wait()
        return answered

    def _take(self, answer: dict[str, Any]) -> None:
        waiting = self._open.get(answer["id"])
        if waiting is None or waiting.done():
            return
        if "result" in answer:
            waiting.set_result(answer["result"])
        else:
            waiting.set_exception(JobFailed(answer["error"], answer.get("disk", False)))

    def _fail_open(self) -> None:
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_exception(WorkerDied())


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S):
            await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
