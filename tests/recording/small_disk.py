"""Run by test_recorder.py in a mount namespace: a recorder on a disk that fills up and then is read-only."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
from groups.vocabulary import BurstEnd
from poc_server.recording.spooling.writer import DiskState
from tests.recording.recorders import QUICK, recording
from tests.recording.voices import meta, spoken


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


async def main(folder: Path) -> None:
    mount("-t", "tmpfs", "-o", "size=64k", "small", str(folder))
    told: dict[str, object] = {}
    async with recording(folder, QUICK) as (recorder, ear):
        first = recorder.begin(meta(group="first"))
        for begin in range(0, 1_500, 50):
            for packet in spoken(1_500)[begin : begin + 50]:
                first.voice(packet)
            recorder.flush()
        await ear.until(lambda: ear.states[-1:] == [DiskState.FULL])
        told["while_full"] = list(ear.states)
        mount("-o", "remount,size=1m", str(folder))
        await ear.until(lambda: ear.states[-1] is DiskState.OK)
        told["after_room"] = list(ear.states)
        first.end(BurstEnd.RELEASED)
        await ear.until(lambda: len(ear.paths) == 1)
        mount("-o", "remount,ro", str(folder))
        second = recorder.begin(meta(group="second"))
        for packet in spoken(100):
            second.voice(packet)
        await ear.until(lambda: ear.states[-1] is DiskState.READ_ONLY)
        told["while_read_only"] = list(ear.states)
        mount("-o", "remount,rw", str(folder))
        await ear.until(lambda: ear.states[-1] is DiskState.OK)
        told["at_last"] = list(ear.states)
        second.end(BurstEnd.RELEASED)
        await ear.until(lambda: len(ear.paths) == 2)
    told["packets"] = {spool.meta.group: len(spool.packets) for spool in ear.spools()}
    told["dropped"] = recorder.counters.dropped
    sys.stdout.write(json.dumps(told))


asyncio.run(main(Path(sys.argv[1])))
