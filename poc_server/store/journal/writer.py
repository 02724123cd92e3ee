"""The thread that puts records on disk: written together, one fdatasync for all that came within a few ms."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path

import structlog

from poc_server.ground import durable
from poc_server.store.journal.lines import segment_path, segments
from poc_server.store.settings import JournalSettings

log = structlog.get_logger(__name__)
RETRY_S = 0.5


class _Mark:
    """Stands in the queue behind records; called once all before it are on disk."""

    def __init__(self, done: Callable[[], object]) -> None:
        self.done = done


class JournalWriter:
    """Appends lines to the newest segment. All methods but the thread's own return at once.

    Attributes:
        written: records that are on disk for certain.
        lost: records refused because the disk has failed for so long that memory is full.
        failing: the disk refused the last write; it is tried again until it takes it.
    """

    def __init__(self, folder: Path, settings: JournalSettings, synced: Callable[[], None]) -> None:
        self.written = 0
        self.lost = 0
        self.failing = False
        self._folder = folder
        self._settings = settings
        self._synced = synced
        self._queue: queue.SimpleQueue[bytes | _Mark | None] = queue.SimpleQueue()
        self._file: int | None = None
        self._size = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        folder.mkdir(parents=True, exist_ok=True)
        self._next = max(segments(folder), default=0) + 1
        self._thread.start()

    @property
    def waiting(self) -> int:
        """Records in memory that are not on disk yet."""
        return self._queue.qsize()

    @property
    def full(self) -> bool:
        """Whether one more has to be refused."""
        return self._queue.qsize() >= self._settings.waiting_limit

    def put(self, line: bytes) -> bool:
        """Hand over one line; False when it had to be refused (see ``lost``)."""
        if self.full:
            self.lost += 1
            return False
        self._queue.put(line)
        return True

    async def flush(self) -> None:
        """Return when all that was put before is on disk."""
        loop = asyncio.get_running_loop()
        done = asyncio.Event()
        self._queue.put(_Mark(lambda: loop.call_soon_threadsafe(done.set)))
        await done.wait()

    async def aclose(self) -> None:
        """Write what waits and end the thread."""
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        closing = False
        while not closing:
            lines, marks, closing = self._gather()
            if lines:
                self._store(lines, give_up=closing)
            for mark in marks:
                mark.done()
        if self._file is not None:
            os.close(self._file)

    def _gather(self) -> tuple[list[bytes], list[_Mark], bool]:
        """What came until ``sync_ms`` after the first of it."""
        lines: list[bytes] = []
        marks: list[_Mark] = []
        until: float | None = None
        while True:
            try:
                timeout = None if until is None else max(0.0, until - time.monotonic())
                item = self._queue.get(timeout=timeout)
            except queue.Empty:
                return lines, marks, False
            if item is None:
                return lines, marks, True
            if isinstance(item, _Mark):
                marks.append(item)
                until = time.monotonic()  # somebody waits: take what is there and go
            else:
                lines.append(item)
            if until is None:
                until = time.monotonic() + self._settings.sync_ms / 1000

    def _store(self, lines: list[bytes], *, give_up: bool) -> None:
        data = b"".join(lines)
        while True:
            try:
                self._write(data)
            except OSError as problem:
                if not self.failing:
                    log.error("journal_disk_failing", problem=str(problem))
                self.failing = True
                self._abandon()
                if give_up:
                    self.lost += len(lines)
                    return
                time.sleep(RETRY_S)
            else:
                self.failing = False
                self.written += len(lines)
                self._synced()
                return

    def _write(self, data: bytes) -> None:
        if self._file is None or self._size >= self._settings.segment_bytes:
            self._abandon()
            path = segment_path(self._folder, self._next)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o640)
            self._next += 1
            self._size = 0
            durable.sync(self._folder)
        rest = memoryview(data)
        while rest:
            done = os.write(self._file, rest)
            self._size += done
            rest = rest[done:]
        os.fdatasync(self._file)

    def _abandon(self) -> None:
        """Leave the segment as it is; a batch that was torn in it is written whole into the next."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
