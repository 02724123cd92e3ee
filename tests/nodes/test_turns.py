"""Attempts to sign in that come to several nodes in one moment: as many are judged as one node would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import pytest

from poc_server.auth import AuthSettings
from poc_server.auth.attempts import Attempted
from poc_server.auth.failures import Failures, Of
from poc_server.auth.tokens import AuthRefused
from poc_server.fabric.redis import RedisFabric
from poc_server.fabric.settings import FabricSettings
from poc_server.neighbours.news import turns
from poc_server.neighbours.news.turns import Turns
from tests.support.redis import RedisServer, running_redis

pytestmark = pytest.mark.wire
NODES, ATTEMPTS = 3, 8
FREE = AuthSettings().per_account.free


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


def joined(fabric: RedisFabric) -> Failures:
    """What one node counts, of attempts that all come in the same millisecond."""
    failures = Failures(AuthSettings(), b"of the city", lambda: 1)

    def heard(message: bytes) -> None:
        said = json.loads(message)
        if said["node"] != fabric.incarnation:
            failures.learn(said["said"])

    fabric.listen("sign-ins", heard)
    failures.tell = lambda said: fabric.cast(
        "sign-ins", json.dumps({"node": fabric.incarnation, "said": dict(said)}).encode()
    )
    failures.turn = Turns(fabric).of
    return failures


@pytest.fixture
async def nodes(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[Failures]]:
    monkeypatch.setattr(turns, "WAIT_S", 60)
    settings = FabricSettings(redis=redis_server.url, timeout_ms=5_000, lease_ms=60_000)
    async with AsyncExitStack() as stack:
        made = [await RedisFabric.open(settings) for _ in range(NODES)]
        for each in made:
            stack.push_async_callback(each.aclose)
        failures = [joined(each) for each in made]
        for each in made:
            session = await each.session()
            assert session is not None
            await session.subscribe(each.name_of("cast:sign-ins"))  # from here on nothing that is cast is missed
        yield failures


async def goes_on(node: Failures, address: str, account: str) -> bool:
    """Whether an attempt by a stranger is judged."""
    attempted = Attempted(node)
    try:
        await attempted.count(Of.ADDRESS, address)
        await attempted.count(Of.ACCOUNT, account)
    except AuthRefused:
        return False
    return True


async def judged(nodes: list[Failures], account: str) -> int:
    """How many of the attempts at all nodes at once may go on."""
    attempts = (goes_on(node, f"192.0.2.{number}", account) for number in range(ATTEMPTS) for node in nodes)
    return (await asyncio.gather(*attempts)).count(True)


async def test_of_attempts_in_one_millisecond_on_several_nodes_as_many_are_judged_as_one_node_would(
    nodes: list[Failures],
) -> None:
    assert await judged(nodes, "wang") == FREE
    assert await judged(nodes, "li") == FREE, "each account by itself"


async def test_a_node_that_died_in_its_turn_holds_up_nobody(
    nodes: list[Failures], redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "WAIT_S", 0.01)
    for text in ("192.0.2.1", "zhao"):
        redis_server.command("SET", f"poc:lease:turn:{nodes[0]._key(text)}", "'dead '", "PX", "60000")
    async with asyncio.timeout(20):
        assert await goes_on(nodes[0], "192.0.2.1", "zhao")


async def test_who_waits_for_a_while_only_is_let_go_whenever_that_is(redis_server: RedisServer) -> None:
    fabric = await RedisFabric.open(FabricSettings(redis=redis_server.url, timeout_ms=5_000))
    try:
        for moments in range(40):
            waits = asyncio.create_task(fabric.hold(f"lease-{moments}"))
            for _ in range(moments):
                await asyncio.sleep(0)
            if waits.cancel():
                await asyncio.wait((waits,))
                assert waits.cancelled(), f"{moments} turns of the loop after it began"
    finally:
        await fabric.aclose()
