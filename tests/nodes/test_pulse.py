"""When another node is given up: at once when it has ended, after its lease when it only says nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from poc_server.fabric.interface import Unavailable
from poc_server.fabric.settings import FabricSettings
from poc_server.neighbours.known.neighbour import Neighbour
from poc_server.neighbours.life.pulse import ENDED, LOOKS, SILENT, Pulse

LEASE_S = 2.0


class Sight:
    """One other node, as this one sees it."""

    def __init__(self) -> None:
        self.connected: bool | None = True
        self.given_up: list[tuple[str, str]] = []
        self.nodes = {"b": Neighbour("b", heard_at=0.0)}
        self.fabric = SimpleNamespace(settings=FabricSettings(lease_ms=round(LEASE_S * 1000)), alone=False)
        self.asked = 0
        self.beats = 0
        self.beaten = asyncio.Event()
        self.pulse = Pulse(self)  # type: ignore[arg-type]

    async def hearing(self, _: Any) -> set[str]:
        self.asked += 1
        if self.connected is None:
            raise Unavailable("no session")
        return {"b"} if self.connected else set()

    def dead(self, neighbour: Neighbour, why: str) -> None:
        self.given_up.append((neighbour.id, why))
        del self.nodes[neighbour.id]

    def beat(self) -> None:
        self.beats += 1
        if self.beats == LOOKS:
            self.beaten.set()
        raise RuntimeError("a fault elsewhere")

    async def look(self, now: float, times: int = 1) -> list[tuple[str, str]]:
        for _ in range(times):
            await self.pulse._look(now)
        return self.given_up


async def test_a_node_that_ended_is_given_up_long_before_its_lease_is_over() -> None:
    sight = Sight()
    sight.connected = False
    assert await sight.look(0.25, LOOKS - 1) == []
    assert await sight.look(0.75) == [("b", ENDED)]
    assert await sight.look(0.75) == [("b", ENDED)]


async def test_one_that_lost_its_session_and_is_back_is_not() -> None:
    sight = Sight()
    for _ in range(5):
        sight.connected = False
        await sight.look(0.25, LOOKS - 1)
        sight.connected = True
        assert await sight.look(0.25) == []


async def test_one_that_is_connected_and_says_nothing_has_its_lease() -> None:
    sight = Sight()
    assert await sight.look(LEASE_S) == []
    assert await sight.look(LEASE_S + 0.01) == [("b", SILENT)]


async def test_without_a_session_of_its_own_a_node_tells_nothing_of_others() -> None:
    sight = Sight()
    sight.connected = None
    assert await sight.look(100.0, LOOKS) == []
    sight.connected = True
    assert await sight.look(100.0 + LEASE_S) == []
    assert await sight.look(100.01 + LEASE_S) == [("b", SILENT)]


class Faulty(Sight):
    """Giving another node up goes wrong."""

    def dead(self, neighbour: Neighbour, why: str) -> None:
        raise RuntimeError("a fault elsewhere")


async def test_a_fault_elsewhere_does_not_end_the_heartbeat() -> None:
    sight = Faulty()
    sight.fabric.settings = FabricSettings(heartbeat_ms=50)
    sight.connected = False
    sight.pulse = Pulse(sight)  # type: ignore[arg-type]
    running = asyncio.get_running_loop().create_task(sight.pulse.run())
    async with asyncio.timeout(30):
        await sight.beaten.wait()
    assert sight.asked > LOOKS, "it looked on after the look that went wrong"
    assert not running.done()
    running.cancel()


class Slow(Sight):
    """Redis takes more than half of the lease for every answer, and node b has said nothing from the first."""

    def __init__(self) -> None:
        super().__init__()
        self.fabric.settings = FabricSettings(heartbeat_ms=50, lease_ms=200)
        self.nodes["b"].heard_at = asyncio.get_running_loop().time()
        self.gone = asyncio.Event()
        self.pulse = Pulse(self)  # type: ignore[arg-type]

    async def hearing(self, nodes: Any) -> set[str]:
        await asyncio.sleep(0.15)
        return await super().hearing(nodes)

    def beat(self) -> None:
        """It lives."""

    def dead(self, neighbour: Neighbour, why: str) -> None:
        super().dead(neighbour, why)
        self.gone.set()


async def test_a_slow_redis_is_no_sleep_of_ones_own() -> None:
    slow = Slow()
    running = asyncio.get_running_loop().create_task(slow.pulse.run())
    async with asyncio.timeout(30):
        await slow.gone.wait()
    assert slow.given_up == [("b", SILENT)]
    running.cancel()
