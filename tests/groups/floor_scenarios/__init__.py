"""What the floor must do, as scenarios: each runs on any rules, so that a flipped row can be caught by them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from tests.groups.floor_scenarios import cut_in, dual_floor, idle, preemption, queue, server, talker
from tests.groups.floor_stage import NewStage

Scenario = Callable[[NewStage], None]


def _of(module: ModuleType) -> tuple[Scenario, ...]:
    """The functions a module defines itself, in its order, that are played on a stage."""
    return tuple(
        thing
        for thing in vars(module).values()
        if callable(thing) and getattr(thing, "__module__", None) == module.__name__ and "new" in thing.__annotations__
    )


SCENARIOS = tuple(
    scenario for module in (idle, talker, queue, preemption, cut_in, dual_floor, server) for scenario in _of(module)
)
