"""Puts on the disk itself what was spooled: what a kill leaves in the operating system's memory, a power cut takes."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass, field
from pathlib import Path

from poc_server.ground import durable
from poc_server.recording.spooling.writer import SpoolWriter


@dataclass(slots=True)
class SpoolSync:
    """Does so every ``every_s`` in a thread of its own: a disk that is slow at this holds up no write.

    One call for the whole file system: one for each of 200 spools would be 200 commits of its journal.

    Attributes:
        synced: packets that are on the disk itself, of those that the writer has written.
        trouble: the operating system's words when it could not be done the last time.
    """

    folder: Path
    writer: SpoolWriter
    every_s: float
    synced: int = 0
    trouble: str = ""
    _stopping: threading.Event = field(default_factory=threading.Event)
    _descriptor: int | None = None

    def start(self) -> None:
        """Start the thread. It is a daemon: a disk that hangs cannot hold up the end of the process."""
        threading.Thread(target=self._run, name="spool-sync", daemon=True).start()

    def stop(self) -> None:
        """End it; never waits."""
        self._stopping.set()

    def _run(self) -> None:
        while not self._stopping.wait(self.every_s):
            self._sync()
        if self._descriptor is not None:
            os.close(self._descriptor)

    def _sync(self) -> None:
        written = self.writer.written
        if written == self.synced:
            return
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self.folder, os.O_RDONLY | os.O_CLOEXEC)
            durable.sync_file_system(self._descriptor)
        except OSError as problem:
            self.trouble = problem.strerror or str(problem)
        else:
            self.synced, self.trouble = written, ""
