"""What a power cut takes of a burst on air: ``python -m tools.bench.power_cut`` (root, Linux, a free loop device).

A recorder spools onto a file system of its own, which lies in one file. At a moment of its own choosing the power is
cut: what that file holds then is what a disk would hold. It is copied, mounted, and read as the next start would.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.recorder import Recorder
from poc_server.recording.spooling.spool import NotASpool, read_spool
from tests.recording.recorders import Ear
from tests.recording.voices import FRAME_MS, meta, spoken

SIZE = "24M"
GROUPS = 20
"""So many talk at once."""
LEAST_S, MOST_S = 2.0, 6.0
"""When the power is cut, after they began."""


def main() -> None:
    """Print how much was lost, by ``sync_ms``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=5, help="for each setting")
    cuts = parser.parse_args().cuts
    for sync_ms in (RecordingSettings().sync_ms, 0):
        lost = [asyncio.run(cut(sync_ms)) for _ in range(cuts)]
        told = {"sync_ms": sync_ms, "cuts": cuts, "groups": GROUPS, "lost_ms": sorted(lost)}
        sys.stdout.write(json.dumps(told) + "\n")


async def cut(sync_ms: int) -> int:
    """The most that one of the bursts on air lost, in ms."""
    with tempfile.TemporaryDirectory() as name:
        disk, after = Path(name) / "disk", Path(name) / "after"
        make(disk)
        with mounted(disk) as folder:
            recorder = Recorder(folder, RecordingSettings(sync_ms=sync_ms), lambda: time.time_ns() // 1_000_000, Ear())
            recorder.start()
            said = await speak(recorder, random.uniform(LEAST_S, MOST_S))
            shutil.copyfile(disk, after)
            await recorder.aclose()
        with mounted(after) as folder:
            return (said - min((kept(folder, group) for group in range(GROUPS)), default=0)) * FRAME_MS


async def speak(recorder: Recorder, seconds: float) -> int:
    """All groups, for so long; returns how many packets each has said."""
    taps = [recorder.begin(meta(group=f"g-{group}")) for group in range(GROUPS)]
    begin, said = time.monotonic(), 0
    for packet in spoken(round(seconds * 1000 / FRAME_MS)):
        await asyncio.sleep(max(0.0, begin + said * FRAME_MS / 1000 - time.monotonic()))
        for tap in taps:
            tap.voice(packet)
        said += 1
    return said


def kept(folder: Path, group: int) -> int:
    """Packets of this group's burst that are there."""
    for path in folder.glob(f"g-{group}.*"):
        try:
            return len(read_spool(path.read_bytes()).packets)
        except NotASpool:
            return 0
    return 0


def make(disk: Path) -> None:
    subprocess.run(["truncate", "-s", SIZE, str(disk)], check=True)
    subprocess.run(["mkfs.ext4", "-q", str(disk)], check=True)


@contextmanager
def mounted(disk: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-o", "loop", str(disk), folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


if __name__ == "__main__":
    main()
