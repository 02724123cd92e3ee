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
    test_press_together_on_the_wire,
    test_texts_on_the_wire,
    test_ways_on_the_wire,
)

pytestmark = pytest.mark.wire
PRESSES_TOGETHER = 5
"""Rounds of twenty who press at once: one node shows the many."""
OF_ANOTHER_CITY = {
    "test_remote_listening_is_off_unless_the_operator_switched_it_on",
    "test_what_is_no_subscription_of_a_known_service_is_refused",  # nine times, and the same on every node
    "test_the_disabled_are_left_out_and_too_many_are_refused",
}


def scenarios(module: ModuleType) -> dict[str, object]:
    """All of a module: one that is added there is tried here too."""
    return {
        name: each for name, each in vars(module).items() if name.startswith("test_") and name not in OF_ANOTHER_CITY
    }


for _module in (
    test_waking_on_the_wire,  # first: it counts all that somebody was woken for
    test_calls_on_the_wire,
    test_ways_on_the_wire,
    test_bad_input_on_the_wire,
    test_press_together_on_the_wire,
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
