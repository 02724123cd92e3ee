"""Redis is away: what phones notice, and that the city is whole again after."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from signaling.messages import Bye, Isolated
from tests.emergency.cast import Cast
from tests.nodes.broken import three
from tests.support.city import City, fetch
from tests.support.handsets import Handsets
from tests.support.redis import RedisServer

pytestmark = pytest.mark.wire

BREAKS: dict[str, tuple[Callable[[RedisServer], object], Callable[[RedisServer], object]]] = {
    "stopped, and empty when it is back": (RedisServer.stop, RedisServer.start),
    "frozen": (RedisServer.freeze, RedisServer.thaw),
    "full": (
        lambda redis: redis.command("CONFIG", "SET", "maxmemory", "1"),
        lambda redis: redis.command("CONFIG", "SET", "maxmemory", "0"),
    ),
}


async def disabled_without_sql(city: City, security: str, user: str, name: str) -> sqlite3.Connection:
    """The device of that name is disabled at the first node; SQL is kept busy by what is returned."""
    headers = {"Authorization": f"Bearer {security}"}
    devices = f"http://127.0.0.1:{city.own_ports[0]}/api/v1/devices"
    listed = await asyncio.to_thread(fetch, "GET", f"{devices}?user={user}", headers, None)
    device = next(each["id"] for each in json.loads(listed)["items"] if each["name"] == name)
    busy = sqlite3.connect(city.data / "poc.sqlite", isolation_level=None)
    busy.execute("BEGIN IMMEDIATE")
    await asyncio.to_thread(fetch, "POST", f"{devices}/{device}/disable", headers, "{}")
    return busy


@pytest.mark.parametrize("how", BREAKS)
async def test_without_redis_each_node_serves_its_own_and_says_so(
    city: City, street: Handsets, redis_server: RedisServer, how: str
) -> None:
    breaks, mends = BREAKS[how]
    group, a, b, c = await three(street)
    cast = Cast(city, street)
    lost = await street.connect(cast.enrolled("BJ-004", how), node=1)
    security = cast.token("AQ-001")
    await asyncio.to_thread(breaks, redis_server)
    try:
        for phone in (a, b, c):
            await phone.told(Isolated, isolated=True)
        # Nobody may restart a node, or send its phones away, because Redis is away.
        for number in (0, 1):
            for path in ("/healthz", "/readyz"):
                assert await asyncio.to_thread(city.node_status, number, path) == 200
        before = a.packets()
        await b.say(group)
        await c.until_packets(8)
        assert a.packets() == before
        busy = await disabled_without_sql(city, security, lost.user, how)
    finally:
        await asyncio.to_thread(mends, redis_server)
    with closing(busy):
        assert (await lost.told(Bye)).reconnect is False, "its node heard of it when it was with the other again"
    for phone in (a, b, c):
        await phone.told(Isolated, isolated=False)
    heard = a.packets()
    await b.say(group)  # at once: who is told that all hear him is heard by all
    await a.until_packets(heard + 8)
    for phone in (a, c):
        await phone.until_online(group, 3)
