"""Bots as the demo starts them: a process of their own that talks, and ends when told."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from loadtest.fleet import Fleet
from loadtest.server import started

pytestmark = pytest.mark.wire


async def test_bots_are_heard_and_end_when_told(tmp_path: Path) -> None:
    async with started(10) as target:
        group = target.identities[0].talks[0]
        people = [identity for identity in target.identities if group in identity.talks]
        links = tmp_path / "bots.jsonl"
        links.write_text("".join(identity.model_dump_json() + "\n" for identity in people[1:3]))
        fleet = Fleet(target.url)
        [listener] = fleet.make(people[:1], closely_every=1)
        await listener.connect(target.url)
        heard = asyncio.get_running_loop().create_future()
        listener.voice.on_mark = lambda _slot, mark, _stamp: heard.done() or heard.set_result(mark)
        await listener.select(group)
        bots = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "loadtest.bots", "--url", target.url, "--links", str(links), "--group", group
        )
        async with asyncio.timeout(30):
            assert (await heard).phone in (1, 2)
        bots.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await bots.wait() == 0
        await fleet.close()
