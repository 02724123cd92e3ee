"""The scenarios of one node, on two: the very same functions, with every second phone on the other node."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.emergency import (
    test_broadcast_on_the_wire,
    test_calls_on_the_wire_emergency,
    test_cap_on_the_wire,
    test_prepared_on_the_wire,
    test_sos_on_the_wire,
    test_waking_on_the_wire,
)
from tests.talk import (
    test_bad_input_on_the_wire,
    test_calls_on_the_wire,
    test_dispatching_on_the_wire,
    test_floor_options_on_the_wire,
    test_presence_on_the_wire,
    test_press_together_on_the_wire,
    test_texts_on_the_wire,
    test_ways_on_the_wire,
)

pytestmark = pytest.mark.wire
PRESSES_TOGETHER = 5
"""Rounds of twenty who press at once: one node shows the many."""
OF_ANY_NODE = {
    "test_how_long_a_temporary_group_lasts_has_limits",
    "test_the_rules_of_a_standing_groups_calls_have_limits",
    "test_what_is_no_subscription_of_a_known_service_is_refused",
    "test_the_disabled_are_left_out_and_too_many_are_refused",
}
"""Refused before anything is done: one node shows the many."""


def scenarios(module: ModuleType) -> dict[str, object]:
    """All of a module: one that is added there is tried here too."""
    return {name: each for name, each in vars(module).items() if name.startswith("test_") and name not in OF_ANY_NODE}


for _module in (
    test_waking_on_the_wire,  # first: it counts all that somebody was woken for
    test_calls_on_the_wire,
    test_ways_on_the_wire,
    test_bad_input_on_the_wire,
    test_press_together_on_the_wire,
    test_floor_options_on_the_wire,
    test_presence_on_the_wire,
    test_dispatching_on_the_wire,
    test_texts_on_the_wire,
    test_sos_on_the_wire,
    test_calls_on_the_wire_emergency,
    test_broadcast_on_the_wire,
    test_prepared_on_the_wire,
    test_cap_on_the_wire,  # last: its warnings stand for an hour
):
    globals().update(scenarios(_module))


@pytest.fixture(autouse=True)
def fewer_rounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_press_together_on_the_wire, "ROUNDS", PRESSES_TOGETHER)
