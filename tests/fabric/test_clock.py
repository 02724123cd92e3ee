"""The clock all nodes share, on machines whose own clocks are wrong."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from groups.vocabulary import AgencyId, UserId
from poc_server.auth.keys import load_or_make
from poc_server.auth.tokens import Claims, Tokens
from poc_server.fabric.onward_clock import OnwardClock
from poc_server.fabric.redis.clock import FabricClock

REDIS_MS = 1_800_000_000_000.0


class Machine:
    """One with its own clock so far ahead of Redis's."""

    def __init__(self, ahead_ms: float) -> None:
        self.ticks, self.redis = 5_000.0, REDIS_MS
        self.clock = FabricClock(lambda: self.ticks, lambda: self.redis + ahead_ms)

    def asks(self, took_ms: float = 2.0, redis_says: float | None = None) -> None:
        asked = self.clock.ticks()
        self.ticks += took_ms
        self.redis += took_ms
        said = self.redis if redis_says is None else redis_says
        self.clock.answered(asked, said - took_ms / 2)


def test_nodes_whose_own_clocks_are_half_a_minute_apart_agree(tmp_path: Path) -> None:
    ahead, behind = Machine(30_000), Machine(-30_000)
    for each in (ahead, behind):
        each.asks()
    assert abs(ahead.clock.now() - behind.clock.now()) <= 2
    assert abs(ahead.clock.off_ms() - 30_000) <= 2
    assert abs(behind.clock.off_ms() + 30_000) <= 2
    issued = ahead.clock.wall()
    tokens = Tokens(load_or_make(tmp_path), "i", skew_ms=5_000)
    claims = Claims(UserId("u"), AgencyId("a"), "s", None, issued, issued + 60_000)
    assert tokens.read("access", tokens.sign("access", claims), behind.clock.wall()).user == "u"


def test_a_redis_that_is_set_back_takes_floors_back_nowhere() -> None:
    machine = Machine(0)
    machine.asks()
    before = machine.clock.now()
    machine.clock.restarted()
    machine.asks(redis_says=REDIS_MS - 3_600_000)
    assert machine.clock.now() >= before
    assert machine.clock.wall() < before
    machine.ticks += 10_000
    assert machine.clock.now() >= before + 5_000, "and does not stop them either"


def test_a_clock_that_is_set_back_goes_on_till_it_is_caught_up() -> None:
    """Standing still, it let no deadline come, and told nobody that he had been away."""
    hour = 3_600_000
    wall, ticks = REDIS_MS, 5_000.0
    clock = OnwardClock(lambda: wall, lambda: ticks)
    before = clock.now()
    wall -= hour
    seen = [clock.now()]
    for _ in range(3 * 60):
        wall, ticks = wall + 60_000, ticks + 60_000
        seen.append(clock.now())
    assert seen[0] == before
    assert all(30_000 <= after - before <= 60_000 for before, after in pairwise(seen))
    assert seen[119] > REDIS_MS - hour + 119 * 60_000
    assert seen[-1] == wall, "caught up after two hours"


def test_a_clock_that_is_set_forward_is_followed() -> None:
    wall = REDIS_MS
    clock = OnwardClock(lambda: wall, lambda: 0.0)
    clock.now()
    wall += 86_400_000
    assert clock.now() == wall
