"""What only the fabric of a single node promises."""

from __future__ import annotations

from poc_server.fabric.local import LocalFabric
from tests.fabric.numbers import Numbers


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


async def test_a_step_is_told_before_it_returns() -> None:
    fabric, told = LocalFabric(), []
    watch = fabric.watch("k", 0, Numbers(), lambda *each: told.append(each))
    await watch.step(lambda state, _: (state + 1, ["one"]))
    assert told == [(1, ["one"], 1)]
