"""The fabric of a single node."""

from __future__ import annotations

from typing import Any

from poc_server.fabric.local import LocalFabric


class Numbers:
    def state_to_json(self, state: int) -> Any:
        return state

    def state_from_json(self, value: Any) -> int:
        return int(value)

    def event_to_json(self, event: Any) -> Any:
        return event

    def event_from_json(self, value: Any) -> Any:
        return value


async def test_a_step_is_seen_by_all_who_watch_with_growing_versions() -> None:
    fabric, seen = LocalFabric(), []
    first = fabric.watch("k", 0, Numbers(), lambda *told: seen.append(("a", *told)))
    second = fabric.watch("k", 0, Numbers(), lambda *told: seen.append(("b", *told)))
    await first.step(lambda state, _: (state + 1, ["one"]))
    await second.step(lambda state, _: (state + 1, ["two"]))
    assert seen == [("a", 1, ["one"], 1), ("b", 1, ["one"], 1), ("a", 2, ["two"], 2), ("b", 2, ["two"], 2)]
    assert first.state == 2


async def test_state_stays_while_it_means_something_and_is_forgotten_when_not() -> None:
    fabric = LocalFabric()
    watch = fabric.watch("k", 0, Numbers(), lambda *_: None)
    await watch.step(lambda *_: (5, []))
    watch.close()
    again = fabric.watch("k", 0, Numbers(), lambda *_: None)
    assert again.state == 5
    await again.step(lambda *_: (0, []))
    again.close()
    assert fabric.watch("k", 9, Numbers(), lambda *_: None).state == 9


def test_the_clock_never_goes_back() -> None:
    fabric = LocalFabric()
    times = [fabric.now() for _ in range(1000)]
    assert times == sorted(times)
