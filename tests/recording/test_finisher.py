from __future__ import annotations

import asyncio
import hashlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from groups.vocabulary import BurstEnd
from poc_server.recording.finishing import finisher as finishing
from poc_server.recording.finishing.finisher import Finisher
from poc_server.recording.model import Recording
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.spool import SpoolEnd, end_record, head_record, voice_record
from poc_server.store.records.recordings import Search
from poc_server.work.client import JobFailed, Worker, WorkerDied
from tests.recording.marked import marked
from tests.recording.pictures import png
from tests.recording.voices import NOON, SAMPLES, hear, meta, spoken

pytestmark = pytest.mark.wire


TOO_LONG = 9
"""The burst whose record no journal takes."""


class Shelf:
    """Keeps every record it is given, as the journal would."""

    def __init__(self) -> None:
        self.records: dict[str, Recording] = {}
        self.failed: list[tuple[str, str]] = []

    async def recorded(self, records: Sequence[Recording]) -> None:
        for record in records:
            if int(record.meta.burst) == TOO_LONG:
                raise ValueError("journal record too long")
            self.records[record.key] = record

    def muxing_failed(self, spool: Path, reason: str) -> None:
        self.failed.append((spool.name, reason))


@asynccontextmanager
async def finishing_in(folder: Path) -> AsyncIterator[tuple[Finisher, Shelf, Worker]]:
    worker = await Worker.start()
    shelf = Shelf()
    recordings = marked(folder / "recordings")
    finisher = Finisher(worker, shelf, folder / "failed", recordings, RecordingSettings())
    try:
        yield finisher, shelf, worker
    finally:
        await finisher.aclose()
        await worker.aclose()


def leave_spool(folder: Path, burst: int, *, whole: bool = True) -> Path:
    (folder / "spool").mkdir(exist_ok=True)
    path = folder / "spool" / f"{burst}.spool"
    data = head_record(meta(burst)) + voice_record(spoken(25))
    path.write_bytes(data + end_record(SpoolEnd(BurstEnd.RELEASED, NOON + 1_000)) if whole else data[:-7])
    return path


async def test_a_spool_becomes_a_file_and_a_record_and_goes(tmp_path: Path) -> None:
    async with finishing_in(tmp_path) as (finisher, shelf, _):
        finisher.start()
        path = leave_spool(tmp_path, 1)
        finisher.spooled(path)
        await finisher.drained()
        assert not path.exists()
    (record,) = shelf.records.values()
    assert hear((tmp_path / "recordings" / record.file).read_bytes()).plays == 25 * SAMPLES


async def test_a_torn_spool_becomes_a_recording_that_is_marked_cut(tmp_path: Path) -> None:
    torn = leave_spool(tmp_path, 2, whole=False)
    torn.write_bytes(head_record(meta(2)) + voice_record(spoken(20)) + voice_record(spoken(25)[20:])[:-7])
    async with finishing_in(tmp_path) as (finisher, shelf, _):
        finisher.start()
        finisher.spooled(torn)
        await finisher.drained()
        given_up = leave_spool(tmp_path, 3, whole=False)
        finisher.spooled(given_up, SpoolEnd(BurstEnd.RELEASED, NOON + 9_000, unrecorded=7))
        await finisher.drained()
    assert [(r.outcome, r.packets, r.unrecorded) for r in shelf.records.values()] == [
        (BurstEnd.CUT, 20, 0),
        (BurstEnd.RELEASED, 0, 7),  # its one record of packets was torn: what is told of it counts
    ]


async def test_a_spool_that_is_none_or_whose_record_is_not_taken_is_put_aside_and_told(tmp_path: Path) -> None:
    junk = leave_spool(tmp_path, 0)
    junk.write_bytes(b"junk")
    async with finishing_in(tmp_path) as (finisher, shelf, _):
        finisher.start()
        finisher.spooled(junk)
        finisher.spooled(leave_spool(tmp_path, TOO_LONG))
        finisher.spooled(leave_spool(tmp_path, 1))
        await finisher.drained()
        assert (finisher.finished, finisher.failed) == (1, 2)
    assert len(shelf.records) == 1
    assert [name for name, _ in shelf.failed] == ["0.spool", f"{TOO_LONG}.spool"]
    assert (tmp_path / "failed" / "0.spool").read_bytes() == b"junk"
    assert (tmp_path / "failed" / f"{TOO_LONG}.spool").exists()


async def test_a_worker_that_dies_comes_back_and_the_burst_is_finished(tmp_path: Path) -> None:
    async with finishing_in(tmp_path) as (finisher, shelf, worker):
        finisher.start()
        assert worker.pid is not None
        first = worker.pid
        os.kill(first, signal.SIGKILL)
        finisher.spooled(leave_spool(tmp_path, 1))
        await finisher.drained()
        assert worker.pid != first
        assert worker.restarts == 1
    assert len(shelf.records) == 1


async def test_a_disk_that_is_not_mounted_is_waited_for_and_nothing_is_written_where_it_should_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finishing, "DISK_RETRY_S", 0.01)
    folder, disk = tmp_path / "recordings", tmp_path / "the disk"
    async with finishing_in(tmp_path) as (finisher, shelf, worker):
        folder.rename(disk)
        folder.mkdir()
        finisher.start()
        path = leave_spool(tmp_path, 1)
        finisher.spooled(path)
        for mark in ("rf-1", ""):
            with pytest.raises(JobFailed, match="mounted") as refused:
                await worker.run("mux", spools=[[str(path), None]], folder=str(folder), mark=mark, zone_minutes=0)
            assert refused.value.disk
        assert (shelf.records, list(folder.iterdir()), path.exists()) == ({}, [], True)
        folder.rmdir()
        disk.rename(folder)
        await finisher.drained()
    assert len(shelf.records) == 1


async def test_the_worker_says_what_it_cannot_do_and_goes_on(tmp_path: Path) -> None:
    worker = await Worker.start()
    with pytest.raises(JobFailed, match="unknown job"):
        await worker.run("brew", kind="coffee")
    with pytest.raises(JobFailed, match="KeyError"):
        await worker.run("mux")
    assert await worker.run("remove", paths=[str(tmp_path / "absent")]) == {}
    await worker.aclose()
    with pytest.raises(WorkerDied):
        await worker.run("remove", paths=[str(tmp_path / "absent")])


async def test_a_photo_a_deletion_and_a_burst_wait_for_no_export(tmp_path: Path) -> None:
    """The export is at a database that takes the connection and says nothing: as long as one may last."""
    connected, let_go = asyncio.Event(), asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await let_go.wait()
        writer.close()

    worker = await Worker.start()
    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        url = f"postgresql+asyncpg://poc:poc@127.0.0.1:{port}/poc?ssl=disable"
        recordings = marked(tmp_path / "recordings")
        export = asyncio.create_task(worker.run("export", **exported(tmp_path, url), **recordings.said()))
        await asyncio.wait_for(connected.wait(), 30)
        picture = png(4, 3)
        (tmp_path / "part").write_bytes(picture)
        kept = tmp_path / "kept.png"
        sha256 = hashlib.sha256(picture).hexdigest()
        said = {"size": len(picture), "sha256": sha256, "media_type": "image/png", **recordings.said()}
        await worker.run("keep_material", part=str(tmp_path / "part"), wanted=str(kept), **said)
        path = leave_spool(tmp_path, 1)
        await worker.run("mux", spools=[[str(path), None]], zone_minutes=480, **recordings.said())
        await worker.run("remove", paths=[str(path)])
        assert (kept.read_bytes(), path.exists(), export.done()) == (picture, False, False)
        let_go.set()
        with pytest.raises(JobFailed):
            await export
    await worker.aclose()


def exported(folder: Path, url: str) -> dict[str, Any]:
    everything = dict.fromkeys(Search.__dataclass_fields__)
    return {
        "store": {"url": url, "connect_timeout_s": 30},
        "data": str(folder),
        "wanted": str(folder / "ex.zip"),
        "scope": {"user": "us-1", "whole": [], "while_member": [], "gone_in": []},
        "search": everything,
        "keys": {},
        "title": "",
        "by": "",
        "at_ms": NOON,
        "zone_minutes": 480,
        "mp3": False,
        "signed": True,
        "most": 1,
        "most_bytes": 1,
    }


def test_the_worker_ends_with_its_node() -> None:
    script = (
        "import asyncio, os\n"
        "from poc_server.work.client import Worker\n"
        "async def main():\n"
        "    worker = await Worker.start()\n"
        "    await worker.run('remove', paths=['/nowhere'])\n"
        "    print(worker.pid, flush=True)\n"
        "    os.kill(os.getpid(), 9)\n"
        "asyncio.run(main())\n"
    )
    node = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=30
    )
    try:
        worker = os.pidfd_open(int(node.stdout))
    except ProcessLookupError:
        return
    ended, _, _ = select.select([worker], [], [], 10)
    os.close(worker)
    assert ended
