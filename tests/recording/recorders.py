"""A recorder on a real folder, and one who keeps all it tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.recorder import Recorder, RecorderTap, RecordingAlarm, RecordingGap
from poc_server.recording.spooling.spool import Spool, SpoolEnd, read_spool
from poc_server.recording.spooling.writer import DiskState
from tests.recording.voices import NOON, spoken

QUICK = RecordingSettings(flush_ms=10, sync_ms=0, retry_ms=10, slow_after_ms=100, space_check_s=0.02, warn_free_bytes=0)


class Ear:
    """Keeps all that the recorder tells."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.ends: dict[Path, SpoolEnd | None] = {}
        self.alarms: list[RecordingAlarm] = []
        self.gaps: list[RecordingGap] = []
        self._told = asyncio.Event()

    def spooled(self, path: Path, end: SpoolEnd | None) -> None:
        self.paths.append(path)
        self.ends[path] = end
        self._told.set()

    def alarm(self, alarm: RecordingAlarm) -> None:
        self.alarms.append(alarm)
        self._told.set()

    def gap(self, gap: RecordingGap) -> None:
        self.gaps.append(gap)
        self._told.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._told.clear()
                await self._told.wait()

    async def when(self, condition: Callable[[], bool]) -> None:
        """For what only a thread knows."""
        async with asyncio.timeout(10):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    @property
    def states(self) -> list[DiskState]:
        return [alarm.state for alarm in self.alarms]

    def spools(self) -> list[Spool]:
        return [read_spool(path.read_bytes()) for path in self.paths]


@asynccontextmanager
async def recording(folder: Path, settings: RecordingSettings = QUICK) -> AsyncIterator[tuple[Recorder, Ear]]:
    ear = Ear()
    recorder = Recorder(folder, settings, lambda: NOON + 5_000, ear)
    recorder.start()
    try:
        yield recorder, ear
    finally:
        await recorder.aclose()


def speak(tap: RecorderTap, count: int) -> None:
    for packet in spoken(count):
        tap.voice(packet)
