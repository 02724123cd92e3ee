"""Calls, floors and audiences together, step by random step. ``POC_RANDOM_STEPS=1000000`` takes more of them."""

from __future__ import annotations

import os

from tests.groups.random_acts import step
from tests.groups.random_world import World

STEPS = int(os.environ.get("POC_RANDOM_STEPS", "100000"))
HISTORY = 2_000
"""Steps after which everybody falls silent, everything must end, and another city begins."""


def test_whatever_happens_in_whatever_order() -> None:
    granted = ended = most_heard = most_talking = 0
    for seed in range(max(1, STEPS // HISTORY)):
        world = World(seed)
        for _ in range(HISTORY):
            step(world)
        world.all_ends()
        granted, ended = granted + world.granted, ended + world.ended
        most_heard, most_talking = max(most_heard, world.watch.most_heard), max(most_talking, world.watch.most_talking)
    print(f"{STEPS} steps: {granted} bursts, {ended} calls ended")
    assert granted > STEPS // 40, "or nothing was tried"
    assert ended > STEPS // 60
    assert most_heard == 2
    assert most_talking >= 3, "two in an emergency and a dispatcher beside them"
