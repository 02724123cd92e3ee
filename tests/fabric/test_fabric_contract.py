"""What both fabrics promise, and what the one on Redis promises beyond: several nodes, and life without Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack

import pytest

from poc_server.fabric.interface import LOADED, Fabric, Unavailable
from poc_server.fabric.local import LocalFabric
from poc_server.fabric.redis import RedisFabric
from poc_server.fabric.settings import FabricSettings
from poc_server.talk.runner import Runner
from tests.fabric.numbers import Numbers, Seen
from tests.support.redis import RedisServer, running_redis

pytestmark = pytest.mark.wire
WAIT_S = 30.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


def plus(number: int, *words: str):  # type: ignore[no-untyped-def]
    return lambda state, _now: (state + number, list(words))


@pytest.fixture(scope="module")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


class Nodes:
    """Fabrics of several nodes of one test, on a corner of Redis of their own."""

    def __init__(self, stack: AsyncExitStack, server: RedisServer, prefix: str) -> None:
        self._stack, self._server, self._prefix = stack, server, prefix

    async def one(self, **settings: int) -> RedisFabric:
        made = await RedisFabric.open(FabricSettings(redis=self._server.url, prefix=self._prefix, **settings))
        self._stack.push_async_callback(made.aclose)
        return made


@pytest.fixture
async def nodes(redis_server: RedisServer) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        yield Nodes(stack, redis_server, f"t{time.monotonic_ns()}")


@pytest.fixture(params=["local", "redis"])
async def pair(request: pytest.FixtureRequest, nodes: Nodes) -> tuple[Fabric, Fabric]:
    """Two hands on the same state: one node twice, or two nodes."""
    if request.param == "local":
        one = LocalFabric()
        return one, one
    return await nodes.one(), await nodes.one()


# --- both ------------------------------------------------------------------------------------------------------------


async def test_a_step_is_seen_by_all_who_watch_with_growing_versions(pair: tuple[Fabric, Fabric]) -> None:
    first_seen, second_seen = Seen(), Seen()
    first = pair[0].watch("k", 0, Numbers(), first_seen)
    second = pair[1].watch("k", 0, Numbers(), second_seen)
    await second.step(lambda state, _: (state, []))  # both follow from here
    await first.step(plus(1, "one"))
    await second.step(plus(1, "two"))
    await until(lambda: len(first_seen.words) >= 2 and len(second_seen.words) >= 2)
    assert [w for w in first_seen.words if w != LOADED] == ["one", "two"]
    assert [w for w in second_seen.words if w != LOADED] == ["one", "two"]
    versions = [version for _, _, version in second_seen.told]
    assert versions == sorted(set(versions))
    assert first.state == second.state == 2


async def test_many_steps_at_once_lose_nothing_and_stay_in_order(pair: tuple[Fabric, Fabric]) -> None:
    seen = [Seen(), Seen()]
    watches = [fabric.watch("k", 0, Numbers(), each) for fabric, each in zip(pair, seen, strict=True)]
    for watch in watches:
        await watch.step(lambda state, _: (state, []))
    await asyncio.gather(*(watches[n % 2].step(plus(1, f"w{n}")) for n in range(60)))
    await until(lambda: all(watch.state == 60 for watch in watches))
    await until(lambda: all(each.told and each.told[-1][0] == 60 for each in seen))
    for each in seen:
        states = [state for state, _, _ in each.told]
        assert states == sorted(states)
        assert len({w for w in each.words if w != LOADED}) == 60


async def test_the_clock_never_goes_back_and_is_the_same_for_all(pair: tuple[Fabric, Fabric]) -> None:
    times = [fabric.now() for _ in range(500) for fabric in pair]
    mine = times[::2]
    assert mine == sorted(mine)
    assert abs(times[-1] - times[-2]) < 250


async def test_what_follows_is_given_the_state_that_holds(pair: tuple[Fabric, Fabric]) -> None:
    first = pair[0].watch("k", 0, Numbers(), Seen())
    await first.step(plus(7))
    given: list[int] = []
    second = pair[1].watch("k", 0, Numbers(), Seen())
    await second.step(lambda state, _: (given.append(state) or state + 1, ["x"]))
    assert given[-1] == 7
    await until(lambda: first.state == 8)


async def test_a_watch_that_is_closed_hears_nothing(pair: tuple[Fabric, Fabric]) -> None:
    seen, other = Seen(), Seen()
    closed = pair[0].watch("k", 0, Numbers(), seen)
    stays = pair[1].watch("k", 0, Numbers(), other)
    await closed.step(plus(1, "one"))
    await until(lambda: stays.state == 1)
    closed.close()
    before = len(seen.told)
    await stays.step(plus(1, "two"))
    assert len(seen.told) == before
    assert stays.state == 2


class Alarm(Numbers):
    """Armed, it rings a little later: the least machine with a timer."""

    def handle(self, state: int, given: str, now: int) -> tuple[int, list[str]]:
        if given == "arm":
            return now + 300, ["armed"]
        return (0, ["rang"]) if state and state <= now else (state, [])

    def deadline(self, state: int) -> int | None:
        return state or None


# --- several nodes ---------------------------------------------------------------------------------------------------


async def test_who_comes_late_reads_the_whole_state(nodes: Nodes) -> None:
    first, seen = (await nodes.one()).watch("k", 0, Numbers(), Seen()), Seen()
    await first.step(plus(5, "before"))
    late = (await nodes.one()).watch("k", 0, Numbers(), seen)
    await until(lambda: late.state == 5)
    assert seen.words == [LOADED]


async def test_a_lease_is_one_nodes_until_it_ends(nodes: Nodes) -> None:
    one, two = await nodes.one(lease_ms=400), await nodes.one(lease_ms=400)
    assert await one.hold("desk") == one.incarnation
    assert await two.hold("desk") == one.incarnation
    async with asyncio.timeout(WAIT_S):
        while await two.hold("desk") != two.incarnation:  # noqa: ASYNC110 - a lease ends by the clock
            await asyncio.sleep(0.05)
    assert await one.hold("desk") == two.incarnation


async def test_the_lease_of_one_that_ended_need_not_run_out(nodes: Nodes) -> None:
    one, two = await nodes.one(lease_ms=60_000), await nodes.one(lease_ms=60_000)
    assert await one.hold("desk") == one.incarnation
    await two.drop("desk")  # not its own: nothing is dropped
    assert await two.hold("desk") == one.incarnation
    await two.drop("desk", of=one.incarnation)
    assert await two.hold("desk") == two.incarnation


async def test_who_still_hears_a_channel_is_known_without_asking_him(nodes: Nodes) -> None:
    one, two = await nodes.one(), await nodes.one()
    two.listen("node:two", lambda _: None)

    async def heard(wanted: set[str]) -> None:
        async with asyncio.timeout(WAIT_S):
            while await one.hearing({"node:two": "two", "node:three": "three"}, {}) != wanted:  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    await heard({"two"})
    await two.aclose()
    await heard(set())


async def test_a_cast_reaches_every_node(nodes: Nodes) -> None:
    one, two = await nodes.one(), await nodes.one()
    heard: list[bytes] = []
    one.listen("c", heard.append)
    two.listen("c", heard.append)
    async with asyncio.timeout(WAIT_S):
        while len(heard) < 2:
            heard.clear()
            one.cast("c", b"\x00hello")
            await asyncio.sleep(0.05)
    assert set(heard) == {b"\x00hello"}


async def test_a_timer_survives_the_node_that_armed_it(nodes: Nodes) -> None:
    one, two, seen = await nodes.one(), await nodes.one(), Seen()
    dies = Runner(one, "k", 0, Alarm(), "tick", lambda *_: None)
    Runner(two, "k", 0, Alarm(), "tick", lambda state, events: seen(state, events, 0))
    dies.submit("arm")
    await until(lambda: "armed" in seen.words)
    dies.close()
    await one.aclose()
    await until(lambda: "rang" in seen.words)


# --- without Redis ---------------------------------------------------------------------------------------------------


def newest(mine: int, theirs: int) -> int:
    return max(mine, theirs)


@pytest.fixture
def own_redis() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


async def test_nodes_go_on_alone_and_are_one_again_when_redis_is_back_empty(own_redis: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        nodes = Nodes(stack, own_redis, "t")
        one, two = await nodes.one(isolated_after_ms=200), await nodes.one(isolated_after_ms=200)
        first, second = (each.watch("k", 0, Numbers(), Seen(), newest) for each in (one, two))
        await first.step(plus(10))
        await until(lambda: second.state == 10)
        own_redis.stop()
        await first.step(plus(1))
        await second.step(plus(5))
        assert one.alone
        assert two.alone
        assert (first.state, second.state) == (11, 15)
        own_redis.start()
        await until(lambda: not one.alone and not two.alone)
        await until(lambda: first.state == second.state == 15)
        await first.step(plus(1, "again"))
        await until(lambda: second.state == 16)


async def test_a_frozen_redis_is_no_redis_and_what_it_had_holds(own_redis: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        one = await Nodes(stack, own_redis, "t").one(isolated_after_ms=200)
        watch = one.watch("k", 0, Numbers(), Seen())
        await watch.step(plus(3))
        own_redis.freeze()
        async with asyncio.timeout(WAIT_S):
            await watch.step(plus(1))  # not one that hangs: it goes on alone
        assert one.alone
        await watch.step(plus(100))
        own_redis.thaw()
        await until(lambda: not one.alone)
        await watch.step(lambda state, _: (state, ["seen"]))
        # Without a judge between the two the shared one holds. A frozen Redis that wakes carries out what it was asked.
        assert watch.state in (3, 4)


async def test_who_waits_for_redis_when_a_session_ends_goes_on_in_the_next(own_redis: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        one = await Nodes(stack, own_redis, "t").one(timeout_ms=5_000)
        session = await one.session()
        assert session is not None
        own_redis.freeze()
        waiting = [asyncio.create_task(each) for each in (session.subscribe("k"), session.heard_all())]
        watch = one.watch("k", 0, Numbers(), Seen())
        step = asyncio.create_task(watch.step(plus(1)))
        await asyncio.sleep(0)
        session.end()
        own_redis.thaw()
        for each in waiting:
            with pytest.raises(Unavailable):
                await each
        await step
        assert watch.state == 1


async def test_a_full_redis_is_no_redis(own_redis: RedisServer) -> None:
    async with AsyncExitStack() as stack:
        one = await Nodes(stack, own_redis, "t").one(isolated_after_ms=200)
        watch = one.watch("k", 0, Numbers(), Seen(), newest)
        await watch.step(plus(3))
        own_redis.command("CONFIG", "SET", "maxmemory", "1")
        async with asyncio.timeout(WAIT_S):
            await watch.step(plus(1))
        assert one.alone
        own_redis.command("CONFIG", "SET", "maxmemory", "0")
        await until(lambda: not one.alone)
        await watch.step(plus(1))
        assert watch.state == 5


async def test_a_node_that_starts_without_redis_serves(own_redis: RedisServer) -> None:
    own_redis.stop()
    async with AsyncExitStack() as stack:
        one = await Nodes(stack, own_redis, "t").one(isolated_after_ms=100)
        assert one.alone
        watch = one.watch("k", 0, Numbers(), Seen(), newest)
        await watch.step(plus(1))
        own_redis.start()
        await until(lambda: not one.alone)
        await watch.step(plus(1))
        assert watch.state == 2
