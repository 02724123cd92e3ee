"""The thread that does the recorder's file work, and what it says of the disk.

A write that fails for the whole disk (full, read-only, gone) is tried again until it succeeds: what waits meanwhile
is bounded by the recorder, which counts and tells what it must drop. A write that can never succeed for one file
gives up that file.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic

from codec.packet import VoicePacket
from poc_server.recording.model import RecordedBurst
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.spool import SpoolEnd, end_record, head_record, voice_record


class DiskState(StrEnum):
    """What the recorder says of its disk, best first."""

    OK = "ok"
    LOW_SPACE = "low_space"
    SLOW = "slow"
    FULL = "full"
    READ_ONLY = "read_only"
    FAILING = "failing"


@dataclass(slots=True, eq=False)
class SpoolFile:
    """One burst's spool on disk; owned by the writer thread once the first `Work` for it was handed over."""

    path: Path
    descriptor: int | None = None
    offset: int = 0
    given_up: bool = False
    unwritten: int = 0
    """Packets it was given after it was given up."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one burst has for the disk: its head the first time, packets, its end the last time."""

    file: SpoolFile
    meta: RecordedBurst
    packets: Sequence[VoicePacket]
    first: bool = False
    end: SpoolEnd | None = None


@dataclass(frozen=True, slots=True)
class Closed:
    """A spool that is whole, ready to be muxed; ``end`` where that could not be written into it."""

    path: Path
    end: SpoolEnd | None = None


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Packets of one burst that could not be written and never will."""

    meta: RecordedBurst
    packets: Sequence[VoicePacket]
    reason: str


@dataclass(slots=True)
class SpoolWriter:
    """Writes `Work` in the order it was handed over, in a thread of its own.

    Attributes:
        written: packets done with (written or given up) since the start; only the thread writes it.
        state: OK, LOW_SPACE, FULL, READ_ONLY or FAILING; only the thread writes it.
        detail: the operating system's words for ``state``.
        free_bytes: free space at the last look.
    """

    folder: Path
    settings: RecordingSettings
    written: int = 0
    state: DiskState = DiskState.OK
    detail: str = ""
    free_bytes: int | None = None
    reports: SimpleQueue[Closed | GivenUp] = field(default_factory=SimpleQueue)
    _queue: SimpleQueue[Sequence[Work] | None] = field(default_factory=SimpleQueue)
    _stopping: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _looked_at: float = -1e9

    def start(self) -> None:
        """Start the thread. It is a daemon: a disk that hangs cannot hold up the end of the process."""
        self._thread = threading.Thread(target=self._run, name="spool-writer", daemon=True)
        self._thread.start()

    def hand_over(self, batch: Sequence[Work]) -> None:
        """Give work to the thread; never waits."""
        self._queue.put(batch)

    def stop(self, timeout_s: float) -> None:
        """Write what was handed over, then end. Blocks; what is not written in ``timeout_s`` is given up."""
        self._queue.put(None)
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._stopping.set()
            self._thread.join(1.0)

    def _run(self) -> None:
        while True:
            try:
                batch = self._queue.get(timeout=self.settings.space_check_s)
            except Empty:
                batch = ()
            if batch is None:
                return
            for work in batch:
                self._do(work)
            self._look_at_space()

    def _do(self, work: Work) -> None:
        file = work.file
        if not file.given_up:
            self._until_written(work)
        if file.given_up and work.packets:
            file.unwritten += len(work.packets)
            self.reports.put(GivenUp(work.meta, work.packets, self.detail))
        if work.end is not None:
            self._close(file, work.end)
        self.written += len(work.packets)

    def _until_written(self, work: Work) -> None:
        data = _encode(work)
        while True:
            try:
                _append(work.file, data)
            except OSError as problem:
                self.detail = problem.strerror or str(problem)
                if problem.errno in _ONE_FILE or self._stopping.is_set():
                    work.file.given_up = True
                    return
                self.state = _DISK_STATES.get(problem.errno or 0, DiskState.FAILING)
                self._stopping.wait(self.settings.retry_ms / 1000)
            else:
                if self.state not in (DiskState.OK, DiskState.LOW_SPACE):
                    self.state, self.detail = DiskState.OK, ""
                    self._looked_at = -1e9
                return

    def _close(self, file: SpoolFile, end: SpoolEnd) -> None:
        if file.descriptor is not None:
            os.close(file.descriptor)
            file.descriptor = None
        if file.offset > 0:
            told = replace(end, unrecorded=end.unrecorded + file.unwritten) if file.given_up else None
            self.reports.put(Closed(file.path, told))

    def _look_at_space(self) -> None:
        if monotonic() - self._looked_at < self.settings.space_check_s:
            return
        self._looked_at = monotonic()
        try:
            self.free_bytes = shutil.disk_usage(self.folder).free
        except OSError:
            return  # the next write finds out and says so
        low = self.free_bytes < self.settings.warn_free_bytes
        self.state = DiskState.LOW_SPACE if low else DiskState.OK
        self.detail = f"{self.free_bytes // 1024**2} MiB free" if low else ""


_DISK_STATES = {errno.ENOSPC: DiskState.FULL, errno.EDQUOT: DiskState.FULL, errno.EROFS: DiskState.READ_ONLY}
_ONE_FILE = frozenset({errno.EFBIG, errno.ENAMETOOLONG, errno.EISDIR, errno.EEXIST, errno.EBADF})


def _encode(work: Work) -> bytes:
    parts = [head_record(work.meta)] if work.first else []
    if work.packets:
        parts.append(voice_record(work.packets))
    if work.end is not None:
        parts.append(end_record(work.end))
    return b"".join(parts)


def _append(file: SpoolFile, data: bytes) -> None:
    """Write ``data`` after what is known to be good: a try that failed half way is written over by the next."""
    if file.descriptor is not None and os.fstat(file.descriptor).st_nlink == 0:
        _rescue(file)
    if file.descriptor is None:
        file.descriptor = _create(file.path)
    _write(file.descriptor, data, file.offset)
    file.offset += len(data)


def _create(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError as problem:  # not the trouble of this one file, as an EEXIST of the file itself is
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)) from problem
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)


def _write(descriptor: int, data: bytes, at: int) -> None:
    done = 0
    while done < len(data):
        done += os.pwrite(descriptor, data[done:] if done else data, at + done)


def _rescue(file: SpoolFile) -> None:
    """Somebody removed the file under us; what it holds can still be read, so it is written anew under its name."""
    old = file.descriptor
    assert old is not None  # noqa: S101 - for the type checker; the caller has looked
    fresh = _create(file.path)
    try:
        _write(fresh, os.pread(old, file.offset, 0), 0)
    except OSError:
        os.close(fresh)
        file.path.unlink(missing_ok=True)
        raise
    os.close(old)
    file.descriptor = fresh
