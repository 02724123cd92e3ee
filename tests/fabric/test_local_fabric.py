"""What only the fabric of a single node promises."""

from __future__ import annotations

from poc_server.fabric.local import LocalFabric
from poc_server.fabric.settings import FabricSettings
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


class Timed(LocalFabric):
    """One whose clock the test sets."""

    at_ms = 0

    def now(self) -> int:
        return self.at_ms


async def test_calls_that_are_over_do_not_fill_the_memory() -> None:
    fabric = Timed(FabricSettings(keep_s=60))
    for number in range(5):
        call = fabric.watch(f"call:{number}", 0, Numbers(), lambda *_: None)
        await call.step(lambda *_: (5, ["ended"]))
        call.close()
        fabric.at_ms += 30_000
    assert list(fabric._entries) == ["call:3", "call:4"]
    assert fabric.watch("call:4", 0, Numbers(), lambda *_: None).state == 5
    assert list(fabric._entries) == ["call:4"]
    fabric.at_ms += 3_600_000
    fabric.watch("call:5", 0, Numbers(), lambda *_: None)
    assert list(fabric._entries) == ["call:4", "call:5"], "what is followed stays"


async def test_a_step_is_told_before_it_returns() -> None:
    fabric, told = LocalFabric(), []
    watch = fabric.watch("k", 0, Numbers(), lambda *each: told.append(each))
    await watch.step(lambda state, _: (state + 1, ["one"]))
    assert told == [(1, ["one"], 1)]
