"""Voice between nodes, on a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from poc_server.fabric.redis.voice import VoiceLine
from tests.support.redis import running_redis

pytestmark = pytest.mark.wire


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_five_thousand_packets_cross_in_order_and_a_line_that_broke_is_mended() -> None:
    heard: list[tuple[bytes, bytes]] = []
    with running_redis() as server:
        speaks, hears = (
            VoiceLine(server.url, 2_000, lambda *_: None),
            VoiceLine(server.url, 16, lambda *x: heard.append(x)),
        )
        hears.subscribe(b"v:g")
        speaks.start()
        hears.start()

        async def through() -> None:
            heard.clear()
            async with asyncio.timeout(30):
                while not heard:
                    speaks.publish(b"v:g", b"first")
                    await asyncio.sleep(0.02)
            speaks.publish(b"v:g", b"last")
            await until(lambda: heard[-1] == (b"v:g", b"last"))

        await through()
        heard.clear()
        dropped = speaks.dropped
        packets = [b"\r\n%d" % number * 20 for number in range(5_000)]
        for number, packet in enumerate(packets):
            speaks.publish(b"v:g", packet)
            if number % 50 == 49:
                await asyncio.sleep(0)
        await until(lambda: len(heard) >= 5_000)
        assert [packet for _, packet in heard] == packets
        assert {channel for channel, _ in heard} == {b"v:g"}
        assert speaks.dropped == dropped
        server.stop()
        await until(lambda: not speaks.ready and not hears.ready)
        speaks.publish(b"v:g", b"lost")
        server.start()
        await through()
        assert heard[0] == (b"v:g", b"first")
        server.freeze()
        hears.probe()
        assert not hears.ready, "a connection that nobody answers on is none"
        server.thaw()
        await until(lambda: hears.ready)
        hears.unsubscribe(b"v:g")
        await speaks.aclose()
        await hears.aclose()
