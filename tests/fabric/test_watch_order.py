"""What a node is told of a key when answers and messages overtake each other, and Redis loses what it had."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from poc_server.fabric.interface import LOADED
from poc_server.fabric.redis import watch as module
from poc_server.fabric.redis.watch import RedisWatch
from poc_server.fabric.settings import FabricSettings
from tests.fabric.numbers import Numbers, Seen

Meanwhile = Callable[[], Awaitable[None]]


class Shelf:
    """One key of a Redis. What is published arrives before the answer to its writer does: that is where races are."""

    def __init__(self) -> None:
        self.hears: list[RedisWatch] = []
        self.on_their_way: dict[RedisWatch, list[bytes]] = {}
        self.now = 0
        self.empty()

    def empty(self) -> None:
        """It lost what it had."""
        self.version, self.state, self.writer = 0, b"", b""
        self.now += 1_000

    async def step(self, arguments: list[Any]) -> list[Any]:
        before, version, state, writer, _, _, said = arguments
        if before != self.version:
            return [0, self.version, self.state, self.writer]
        self.version, self.state, self.writer = version, state.encode(), writer.encode()
        for watch in self.hears:
            if watch in self.on_their_way:
                self.on_their_way[watch].append(said.encode())
            else:
                watch.heard(said.encode())
        return [1]

    def arrive(self, watch: RedisWatch) -> None:
        """What was published and not yet read by that node."""
        for message in self.on_their_way.pop(watch, ()):
            watch.heard(message)


class Line:
    """A session of one node with it. ``meanwhile`` happens once, after what is asked next was done and before the
    answer comes."""

    def __init__(self, shelf: Shelf, watch: RedisWatch | None = None) -> None:
        self._shelf, self._watch = shelf, watch
        self.meanwhile: Meanwhile | None = None

    async def subscribe(self, _: str) -> None:
        """Who watches hears all."""

    async def read(self, _: str) -> tuple[int, bytes]:
        return await self._answered((self._shelf.version, self._shelf.state))

    async def step(self, _: list[str], arguments: list[Any]) -> list[Any]:
        return await self._answered(await self._shelf.step(arguments))

    async def heard_all(self) -> None:
        if self._watch is not None:
            self._shelf.arrive(self._watch)

    async def _answered(self, answer: Any) -> Any:
        happens, self.meanwhile = self.meanwhile, None
        if happens is not None:
            await happens()
        return answer


class Known(Numbers):
    """What a node of today can read."""

    def state_from_json(self, value: Any) -> int:
        return int(value["n"] if isinstance(value, dict) else value)

    def event_from_json(self, value: Any) -> Any:
        return {"later": lambda: {}["later"]}.get(value, lambda: value)()


class Node:
    """A node that watches the key; without a line it is alone."""

    def __init__(self, shelf: Shelf) -> None:
        self.settings = FabricSettings()
        self._shelf = shelf
        self.line: Line | None = None
        self.seen = Seen()
        self.written = 0
        self.background: list[asyncio.Task[None]] = []
        self.watch = RedisWatch(self, "k", 0, Known(), self.seen, max)  # type: ignore[arg-type]
        shelf.hears.append(self.watch)

    async def session(self) -> Line | None:
        return self.line

    def now(self) -> int:
        return self._shelf.now

    def name_of(self, key: str) -> str:
        return key

    def next_writer(self) -> str:
        self.written += 1
        return f"{id(self)}:{self.written}"

    def unwatch(self, key: str, watch: RedisWatch) -> None:
        """Nothing stays behind."""

    def spawn(self, work: Any) -> None:
        self.background.append(asyncio.get_running_loop().create_task(work))

    async def meets(self, shelf: Shelf) -> None:
        """A new session begins, and the key is followed."""
        self.line = Line(shelf, self.watch)
        await self.watch.follow(self.line)  # type: ignore[arg-type]

    async def adds(self, number: int, *words: str) -> None:
        await self.watch.step(lambda state, _: (state + number, list(words)))


async def two() -> tuple[Shelf, Node, Node]:
    """Two nodes that know each other's latest step."""
    shelf = Shelf()
    one, other = Node(shelf), Node(shelf)
    for node in (one, other):
        await node.meets(shelf)
    await one.adds(10, "first")
    assert one.seen.words == other.seen.words == ["first"]
    return shelf, one, other


async def test_after_a_redis_that_came_back_empty_the_first_step_of_another_node_is_heard() -> None:
    shelf, one, other = await two()
    for _ in range(5):
        await one.adds(1, "before")  # each is told by its own message before its answer comes
    shelf.empty()
    await one.meets(shelf)
    await other.meets(shelf)
    one.seen.told.clear()
    await other.adds(1, "after")
    assert one.seen.words == ["after"]
    assert one.watch.state == other.watch.state == 16


async def test_two_states_never_have_one_version_though_redis_begins_anew() -> None:
    shelf, _, other = await two()
    shelf.empty()
    shelf.hears.remove(other.watch)
    late = Node(shelf)  # knows nothing of what was
    await late.meets(shelf)
    await late.adds(3, "late")
    shelf.hears.append(other.watch)
    await other.meets(shelf)
    assert other.watch.state == 3, "what stands in Redis holds for a node that was not alone"
    await other.adds(1, "on")
    assert late.watch.state == 4


async def test_a_step_made_while_another_node_reads_the_state_is_not_missed() -> None:
    shelf, one, other = await two()
    shelf.empty()
    await one.meets(shelf)
    other.line = Line(shelf)
    other.line.meanwhile = lambda: one.adds(1, "meanwhile")
    await other.watch.follow(other.line)  # type: ignore[arg-type]
    assert other.seen.words == ["first", LOADED, "meanwhile"]
    assert other.watch.state == 11


async def test_a_step_made_while_another_node_writes_what_holds_after_an_outage_is_not_missed() -> None:
    shelf, one, other = await two()
    other.line = None
    await other.adds(5)
    other.line = Line(shelf)

    async def reads() -> None:
        assert other.line is not None
        other.line.meanwhile = lambda: one.adds(1, "meanwhile")

    other.line.meanwhile = reads
    await other.watch.follow(other.line)  # type: ignore[arg-type]
    assert other.seen.words[-2:] == [LOADED, "meanwhile"]
    assert one.watch.state == other.watch.state == 16


async def test_an_answer_that_comes_late_does_not_take_the_state_back() -> None:
    _, one, other = await two()
    assert one.line is not None
    one.line.meanwhile = lambda: other.adds(1, "quicker")
    await one.adds(1, "slow")
    assert one.seen.words == other.seen.words == ["first", "slow", "quicker"]
    assert one.watch.state == other.watch.state == 12


async def test_a_redis_that_fell_back_is_brought_to_what_the_nodes_know() -> None:
    shelf, one, other = await two()
    older = shelf.version, shelf.state, shelf.writer
    await one.adds(1, "lost")
    shelf.version, shelf.state, shelf.writer = older  # as one that took over without the last write
    await one.meets(shelf)
    await other.meets(shelf)
    assert one.watch.state == other.watch.state == 11
    other.seen.told.clear()
    await one.adds(1, "on")
    assert other.seen.words == ["on"]


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing is sought without waiting for it first."""
    monkeypatch.setattr(module, "GAP_S", 0.0)


async def sought(node: Node) -> None:
    """Until the node has looked whether what is missing will come."""
    async with asyncio.timeout(30):
        while not node.background:  # noqa: ASYNC110 - a timer that is due at once
            await asyncio.sleep(0)
        await asyncio.gather(*node.background)


async def test_a_node_that_had_no_time_to_read_has_missed_nothing(at_once: None) -> None:
    shelf, one, other = await two()
    shelf.on_their_way[one.watch] = []
    await other.adds(1, "unread")
    await one.adds(1, "mine")
    assert one.seen.words == ["first"]
    await sought(one)
    assert one.seen.words == other.seen.words == ["first", "unread", "mine"]


async def test_who_waits_for_an_answer_has_it_though_a_step_before_his_was_missed(at_once: None) -> None:
    shelf, one, other = await two()
    shelf.on_their_way[one.watch] = []
    await other.adds(1, "lost")
    await one.adds(1, "mine")
    shelf.on_their_way.clear()
    await sought(one)
    assert one.seen.words == ["first", "mine", LOADED]
    assert one.watch.state == 12
    await other.adds(1, "on")
    assert one.seen.words[-1] == "on"


async def test_who_waits_for_an_answer_has_it_though_the_session_ended_before(at_once: None) -> None:
    shelf, one, other = await two()
    shelf.on_their_way[one.watch] = []
    await other.adds(1, "lost")
    await one.adds(1, "mine")
    shelf.on_their_way.clear()
    await one.meets(shelf)
    assert one.seen.words == ["first", "mine"], "and nothing else is known to be different"
    assert one.watch.state == 12


async def test_what_happened_in_a_way_that_is_not_known_yet_is_told_by_the_state_as_a_whole() -> None:
    _, one, _ = await two()
    version = one.watch._version
    one.watch.heard(json.dumps({"v": version + 1, "b": version, "s": 40, "e": ["later"]}).encode())
    assert one.seen.told[-1] == (40, (LOADED,), version + 1)


@pytest.mark.parametrize("there", ['{"of": "a later version"}', "damaged"])
async def test_a_group_whose_state_cannot_be_read_begins_anew_for_all(there: str) -> None:
    shelf, one, other = await two()
    shelf.version, shelf.state = shelf.version + 7, there.encode()
    await other.adds(3, "anew")
    assert one.watch.state == other.watch.state == 3
