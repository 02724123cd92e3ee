from __future__ import annotations

import asyncio
import ctypes
import errno
import json
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from groups.vocabulary import BurstEnd
from poc_server.ground import durable
from poc_server.recording.spooling.recorder import Recorder
from poc_server.recording.spooling.spool import SpoolEnd, read_spool
from poc_server.recording.spooling.writer import DiskState
from tests.recording.recorders import QUICK, Ear, recording, speak
from tests.recording.voices import NOON, meta, spoken

pytestmark = pytest.mark.wire
ROOT = Path(__file__).parents[2]


async def test_a_burst_is_spooled_as_it_came(tmp_path: Path) -> None:
    async with recording(tmp_path) as (recorder, ear):
        tap = recorder.begin(meta())
        speak(tap, 30)
        tap.end(BurstEnd.RELEASED)
        tap.end(BurstEnd.CUT)
        await ear.until(lambda: bool(ear.paths))
    (spool,) = ear.spools()
    assert list(spool.packets) == spoken(30)
    assert spool.meta.group == "g-1"
    assert spool.end is not None
    assert (spool.end.outcome, spool.end.ended_ms) == (BurstEnd.RELEASED, NOON + 5_000)
    assert (recorder.counters.packets, recorder.counters.dropped, recorder.waiting) == (30, 0, 0)
    assert ear.alarms == []


async def test_what_is_spooled_is_put_on_the_disk_itself_and_trouble_with_that_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the end of what was said, after which nothing follows."""
    put, broken = durable._syncfs, threading.Event()

    def syncfs(descriptor: int) -> int:
        if not broken.is_set():
            return int(put(descriptor))
        ctypes.set_errno(errno.EIO)
        return -1

    monkeypatch.setattr(durable, "_syncfs", syncfs)
    async with recording(tmp_path, QUICK.model_copy(update={"sync_ms": 10})) as (recorder, ear):
        tap = recorder.begin(meta())
        speak(tap, 30)
        await ear.when(lambda: recorder.synced == 30)
        broken.set()
        speak(tap, 20)
        await ear.until(lambda: ear.states == [DiskState.FAILING])
        assert (recorder.synced, ear.alarms[0].detail) == (30, os.strerror(errno.EIO))
        broken.clear()
        await ear.until(lambda: ear.states == [DiskState.FAILING, DiskState.OK])
        assert recorder.synced == 50


async def test_a_burst_in_which_nothing_was_said_leaves_no_file(tmp_path: Path) -> None:
    async with recording(tmp_path) as (recorder, ear):
        recorder.begin(meta()).end(BurstEnd.RELEASED)
    assert ear.paths == []


async def test_a_stopping_node_ends_its_bursts_as_cut_and_keeps_every_packet(tmp_path: Path) -> None:
    async with recording(tmp_path, QUICK.model_copy(update={"flush_ms": 1_000})) as (recorder, ear):
        speak(recorder.begin(meta()), 30)
    (spool,) = ear.spools()
    assert len(spool.packets) == 30
    assert spool.end is not None
    assert spool.end.outcome is BurstEnd.CUT


async def test_two_recordings_of_one_burst_do_not_meet(tmp_path: Path) -> None:
    ear = Ear()
    recorder = Recorder(tmp_path, QUICK, lambda: NOON, ear)
    recorder.start()
    for _ in range(2):
        tap = recorder.begin(meta())
        speak(tap, 5)
        tap.end(BurstEnd.LEFT)
    await recorder.aclose()
    assert len(set(ear.paths)) == 2


async def test_two_hundred_groups_at_once_lose_nothing(tmp_path: Path) -> None:
    async with recording(tmp_path, QUICK.model_copy(update={"flush_ms": 200})) as (recorder, ear):
        taps = [recorder.begin(meta(group=f"g-{i}")) for i in range(200)]
        for packet in spoken(50):
            for tap in taps:
                tap.voice(packet)
            await asyncio.sleep(0)
        for tap in taps:
            tap.end(BurstEnd.RELEASED)
        await ear.until(lambda: len(ear.paths) == 200)
    assert {len(spool.packets) for spool in ear.spools()} == {50}
    assert (recorder.counters.dropped, recorder.counters.packets) == (0, 10_000)


async def test_a_disk_that_comes_back_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.write_text("a file stands where the folder should be")
    async with recording(folder) as (recorder, ear):
        tap = recorder.begin(meta())
        speak(tap, 20)
        await ear.until(lambda: DiskState.FAILING in ear.states)
        folder.unlink()
        tap.end(BurstEnd.RELEASED)
        await ear.until(lambda: bool(ear.paths))
        await ear.until(lambda: ear.states[-1] is DiskState.OK)
    assert [len(spool.packets) for spool in ear.spools()] == [20]
    assert ear.gaps == []


async def test_a_folder_that_vanishes_in_mid_burst_is_made_again_with_what_was_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    async with recording(folder) as (recorder, ear):
        tap = recorder.begin(meta())
        speak(tap, 10)
        recorder.flush()
        while recorder.waiting:  # noqa: ASYNC110 - only the writer thread knows
            await asyncio.sleep(0.005)
        (path,) = folder.iterdir()
        path.unlink()
        folder.rmdir()
        for packet in spoken(20)[10:]:
            tap.voice(packet)
        tap.end(BurstEnd.RELEASED)
        await ear.until(lambda: bool(ear.paths))
    (spool,) = ear.spools()
    assert list(spool.packets) == spoken(20)


async def test_beyond_the_bound_packets_are_dropped_counted_and_told(tmp_path: Path) -> None:
    folder = tmp_path / "spool"
    folder.write_text("in the way")
    async with recording(folder, QUICK.model_copy(update={"pending_packets": 30})) as (recorder, ear):
        tap = recorder.begin(meta())
        packets = spoken(45)
        for begin, end in ((0, 20), (20, 30), (30, 44)):  # up to the limit, to the limit, beyond
            for packet in packets[begin:end]:
                tap.voice(packet)
            recorder.flush()
        assert recorder.counters.dropped == 14
        await ear.until(lambda: DiskState.FAILING in ear.states)
        folder.unlink()
        await ear.until(lambda: ear.states[-1] is DiskState.OK)
        tap.voice(packets[44])
        tap.end(BurstEnd.RELEASED)
        await ear.until(lambda: bool(ear.paths))
    (spool,) = ear.spools()
    assert list(spool.packets) == packets[:30] + packets[44:]
    assert spool.end is not None
    assert spool.end.unrecorded == 14
    (gap,) = ear.gaps
    assert (gap.from_ms, gap.to_ms, gap.packets) == (packets[30].arrived_ms, packets[43].arrived_ms, 14)


async def test_a_file_that_can_never_be_written_is_given_up_and_told(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with recording(tmp_path) as (recorder, ear):
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        try:
            long, short = recorder.begin(meta(group="long")), recorder.begin(meta(group="short"))
            for begin in range(0, 200, 10):
                for packet in spoken(200)[begin : begin + 10]:
                    long.voice(packet)
                recorder.flush()
            speak(short, 10)
            long.end(BurstEnd.RELEASED)
            short.end(BurstEnd.RELEASED)
            await ear.until(lambda: len(ear.paths) == 2)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    kept = {spool.meta.group: len(spool.packets) for spool in ear.spools()}
    assert kept["short"] == 10
    assert kept["long"] + sum(gap.packets for gap in ear.gaps) == 200
    assert 50 < kept["long"] < 100
    assert recorder.counters.dropped == 200 - kept["long"]
    # What cannot be written into the spool is told beside it.
    assert ear.ends == {
        long.file.path: SpoolEnd(BurstEnd.RELEASED, NOON + 5_000, unrecorded=200 - kept["long"]),
        short.file.path: None,
    }


async def test_little_space_is_told_while_there_is_still_some(tmp_path: Path) -> None:
    async with recording(tmp_path, QUICK.model_copy(update={"warn_free_bytes": 2**62})) as (recorder, ear):
        await ear.until(lambda: ear.states == [DiskState.LOW_SPACE])
        tap = recorder.begin(meta())
        speak(tap, 5)
        tap.end(BurstEnd.RELEASED)
        await ear.until(lambda: bool(ear.paths))
    assert recorder.free_bytes is not None


async def test_a_slow_disk_is_told_and_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    pwrite = os.pwrite

    def slow(descriptor: int, data: bytes, offset: int) -> int:
        gate.wait(10)
        return pwrite(descriptor, data, offset)

    monkeypatch.setattr(os, "pwrite", slow)
    async with recording(tmp_path) as (recorder, ear):
        tap = recorder.begin(meta())
        speak(tap, 5)
        await ear.until(lambda: DiskState.SLOW in ear.states)
        gate.set()
        await ear.until(lambda: ear.states[-1] is DiskState.OK)
        tap.end(BurstEnd.RELEASED)
        await ear.until(lambda: bool(ear.paths))
    assert [len(spool.packets) for spool in ear.spools()] == [5]
    assert ear.gaps == []


def test_a_disk_that_is_full_or_read_only_is_told_and_what_waits_is_kept(tmp_path: Path) -> None:
    """In a mount namespace of its own, on a real file system of 64 KiB: filled, enlarged, made read-only."""
    script = Path(__file__).with_name("small_disk.py")
    done = subprocess.run(
        ["unshare", "-rm", sys.executable, script, tmp_path], capture_output=True, text=True, cwd=ROOT, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["while_full"] == ["full"]
    assert told["after_room"] == ["full", "ok"]
    assert told["while_read_only"] == ["full", "ok", "read_only"]
    assert told["at_last"] == ["full", "ok", "read_only", "ok"]
    assert told["packets"] == {"first": 1_500, "second": 100}
    assert told["dropped"] == 0


CHILD = """
import asyncio, sys, time
sys.path.insert(0, ".")
from pathlib import Path
from poc_server.recording.spooling.recorder import Recorder
from poc_server.recording.settings import RecordingSettings
from tests.recording.voices import meta, spoken

class Deaf:
    def spooled(self, path, end): ...
    def alarm(self, alarm): ...
    def gap(self, gap): ...

async def main():
    recorder = Recorder(Path(sys.argv[1]), RecordingSettings(), lambda: time.time_ns() // 1_000_000, Deaf())
    recorder.start()
    tap = recorder.begin(meta())
    begin = time.monotonic()
    for i, packet in enumerate(spoken(500)):
        await asyncio.sleep(max(0, begin + i * 0.04 - time.monotonic()))
        tap.voice(packet)
        print(i + 1, flush=True)

asyncio.run(main())
"""


def test_a_killed_server_loses_less_than_a_second(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, tmp_path], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    for line in child.stdout:
        if int(line) == 70:
            child.kill()
            break
    said = 70 + len(child.stdout.readlines())
    child.wait()
    (path,) = tmp_path.glob("*.spool")
    spool = read_spool(path.read_bytes())
    assert spool.end is None
    lost_ms = (said - len(spool.packets)) * 40
    assert lost_ms <= 1_000
    assert list(spool.packets) == spoken(len(spool.packets))
