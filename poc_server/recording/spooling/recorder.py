"""The recorder: a listener like any other, on the talker's node, that spools each talk burst to disk.

On the media loop a packet is appended to a list and nothing else. Every ``flush_ms`` the gathered packets of all
bursts go to the writer thread. When the disk cannot keep up and the bound is reached, packets are dropped: counted,
raised as an alarm, told as a gap with its extent, and noted in the burst itself once it can be written again. Nothing
is lost silently.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Protocol

from codec.packet import VoicePacket
from groups.vocabulary import BurstEnd, GroupId
from poc_server.recording.layout import spool_name
from poc_server.recording.model import RecordedBurst
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.spool import SpoolEnd
from poc_server.recording.spooling.spool_sync import SpoolSync
from poc_server.recording.spooling.writer import Closed, DiskState, GivenUp, SpoolFile, SpoolWriter, Work

CLOSE_TIMEOUT_S = 5.0
"""How long a stopping node waits for its disk."""


@dataclass(frozen=True, slots=True)
class RecordingAlarm:
    """The state of the recorder's disk has changed to ``state``."""

    state: DiskState
    detail: str


@dataclass(frozen=True, slots=True)
class RecordingGap:
    """Voice that was on air but is not on disk: ``packets`` that came from ``from_ms`` to ``to_ms``."""

    meta: RecordedBurst
    from_ms: int
    to_ms: int
    packets: int
    reason: str


class RecorderListener(Protocol):
    """Who hears of the recorder's work; called on the loop, never per packet."""

    def spooled(self, path: Path, end: SpoolEnd | None) -> None:
        """A burst's spool is whole: mux it. ``end`` where the spool itself cannot say how it ended."""

    def alarm(self, alarm: RecordingAlarm) -> None:
        """Tell operators; called on each change, also back to ok."""

    def gap(self, gap: RecordingGap) -> None:
        """Write into the audit."""


@dataclass(slots=True)
class RecorderCounters:
    """Plain counts since the start: bursts begun, packets handed to the disk, packets dropped, gaps told."""

    bursts: int = 0
    packets: int = 0
    dropped: int = 0
    gaps: int = 0


class RecorderTap:
    """Records one burst (`poc_server.talk.burst.BurstTap`)."""

    __slots__ = ("_clock", "ended", "file", "gap", "meta", "packets", "started", "unrecorded")

    def __init__(self, meta: RecordedBurst, file: SpoolFile, clock: Callable[[], int]) -> None:
        self.meta = meta
        self.file = file
        self.packets: list[VoicePacket] = []
        self.started = False
        self.unrecorded = 0
        self.gap: RecordingGap | None = None
        self.ended: tuple[BurstEnd, int] | None = None
        self._clock = clock

    def voice(self, packet: VoicePacket) -> None:
        """Take one packet; only appends to memory."""
        self.packets.append(packet)

    def end(self, outcome: BurstEnd) -> None:
        """The burst is over. A second call changes nothing."""
        if self.ended is None:
            self.ended = (outcome, max(self._clock(), self.meta.started_ms))


class Recorder:
    """All bursts of one node. Everything but the writer's thread happens on the loop it was started on.

    Args:
        folder: where spools stand; one folder for each node.
        clock: ms since the epoch, the fabric's.
    """

    def __init__(
        self, folder: Path, settings: RecordingSettings, clock: Callable[[], int], listener: RecorderListener
    ) -> None:
        self.counters = RecorderCounters()
        self.state = DiskState.OK
        self._folder = folder
        self._settings = settings
        self._clock = clock
        self._listener = listener
        self._writer = SpoolWriter(folder, settings)
        self._sync = SpoolSync(folder, self._writer, settings.sync_ms / 1000)
        self._taps: list[RecorderTap] = []
        self._handed_at: deque[tuple[int, float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._last_from_ms = 0

    def start(self) -> None:
        """Start the writer thread and the timer; needs a running loop. Works also while the disk does not."""
        self._writer.start()
        if self._settings.sync_ms:
            self._sync.start()
        self._arm()

    def begin(self, meta: RecordedBurst) -> RecorderTap:
        """A burst begins; every `RecorderTap.voice` until `RecorderTap.end` is recorded."""
        # Never the same twice, so that two recordings of one burst never share a file.
        self._last_from_ms = max(self._clock(), meta.started_ms, self._last_from_ms + 1)
        meta = replace(meta, from_ms=self._last_from_ms)
        tap = RecorderTap(meta, SpoolFile(self._folder / spool_name(meta)), self._clock)
        self._taps.append(tap)
        self.counters.bursts += 1
        return tap

    def on_air(self, group: GroupId) -> Path | None:
        """The spool of the newest burst on air in ``group``, None when there is none."""
        newest = next((tap for tap in reversed(self._taps) if tap.meta.group == group and tap.ended is None), None)
        return newest.file.path if newest is not None else None

    def on_air_now(self) -> set[Path]:
        """The spools of all bursts on air."""
        return {tap.file.path for tap in self._taps if tap.ended is None}

    async def written(self, within_s: float) -> bool:
        """Hand over what is in memory and wait until the disk has it; False when that took too long."""
        self.flush()
        wanted = self.counters.packets
        end = monotonic() + within_s
        while self._writer.written < wanted and monotonic() < end:  # noqa: ASYNC110 - only the writer thread knows
            await asyncio.sleep(0.005)
        return self._writer.written >= wanted

    @property
    def waiting(self) -> int:
        """Packets handed to the disk but not written yet."""
        return self.counters.packets - self._writer.written

    @property
    def synced(self) -> int:
        """Packets that no power cut takes any more; nothing is known of that where ``sync_ms`` is 0."""
        return self._sync.synced

    @property
    def free_bytes(self) -> int | None:
        """Free space on the disk of the spools at the last look."""
        return self._writer.free_bytes

    async def aclose(self) -> None:
        """End every burst as cut, write what is in memory, stop the thread."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for tap in self._taps:
            tap.end(BurstEnd.CUT)
        self._hand_over()
        await asyncio.get_running_loop().run_in_executor(None, self._writer.stop, CLOSE_TIMEOUT_S)
        self._sync.stop()
        self._hear_writer()

    def flush(self) -> None:
        """What the timer does every ``flush_ms``."""
        self._hand_over()
        self._hear_writer()
        self._watch_disk()

    def _arm(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._settings.flush_ms / 1000, self._tick)

    def _tick(self) -> None:
        self._arm()
        self.flush()

    def _hand_over(self) -> None:
        batch = [work for tap in self._taps if (work := self._work_of(tap)) is not None]
        self._taps = [tap for tap in self._taps if tap.ended is None]
        if batch:
            self._handed_at.append((self.counters.packets, monotonic()))
            self._writer.hand_over(batch)

    def _work_of(self, tap: RecorderTap) -> Work | None:
        packets, tap.packets = tap.packets, []
        if packets and self.waiting + len(packets) > self._settings.pending_packets:
            self._drop(tap, packets)
            packets = []
        if packets or tap.ended is not None:
            self._close_gap(tap)
        if not packets and (tap.ended is None or not (tap.started or tap.unrecorded)):
            return None
        end = SpoolEnd(*tap.ended, tap.unrecorded) if tap.ended is not None else None
        work = Work(tap.file, tap.meta, packets, first=not tap.started, end=end)
        tap.started = True
        self.counters.packets += len(packets)
        return work

    def _drop(self, tap: RecorderTap, packets: list[VoicePacket]) -> None:
        tap.unrecorded += len(packets)
        self.counters.dropped += len(packets)
        begin = tap.gap.from_ms if tap.gap else packets[0].arrived_ms
        count = (tap.gap.packets if tap.gap else 0) + len(packets)
        tap.gap = RecordingGap(tap.meta, begin, packets[-1].arrived_ms, count, self._writer.state.value)

    def _close_gap(self, tap: RecorderTap) -> None:
        if tap.gap is not None:
            self._tell_gap(tap.gap)
            tap.gap = None

    def _tell_gap(self, gap: RecordingGap) -> None:
        self.counters.gaps += 1
        self._listener.gap(gap)

    def _hear_writer(self) -> None:
        while True:
            try:
                report = self._writer.reports.get_nowait()
            except Empty:
                return
            if isinstance(report, Closed):
                self._listener.spooled(report.path, report.end)
            else:
                self._given_up(report)

    def _given_up(self, report: GivenUp) -> None:
        count = len(report.packets)
        self.counters.dropped += count
        begin, end = report.packets[0].arrived_ms, report.packets[-1].arrived_ms
        self._tell_gap(RecordingGap(report.meta, begin, end, count, report.reason))

    def _watch_disk(self) -> None:
        while self._handed_at and self._handed_at[0][0] <= self._writer.written:
            self._handed_at.popleft()
        state, detail = self._writer.state, self._writer.detail
        if self._handed_at and state in (DiskState.OK, DiskState.LOW_SPACE):
            late_ms = (monotonic() - self._handed_at[0][1]) * 1000
            if late_ms > self._settings.slow_after_ms:
                state, detail = DiskState.SLOW, f"{late_ms:.0f} ms behind"
        if self._sync.trouble and state in (DiskState.OK, DiskState.LOW_SPACE):
            state, detail = DiskState.FAILING, self._sync.trouble
        if state is not self.state:
            self.state = state
            self._listener.alarm(RecordingAlarm(state, detail))
