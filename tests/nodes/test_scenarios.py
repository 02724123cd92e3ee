"""The scenarios of one node, on two: the very same functions, with every second phone on the other node."""

from __future__ import annotations

import pytest

from tests.emergency.cast import Cast
from tests.emergency.test_calls_on_the_wire_emergency import (
    test_leader_and_officer_at_once_are_both_heard,
)
from tests.emergency.test_sos_on_the_wire import (
    test_a_dispatcher_hears_and_sees_an_sos_over_a_talker,
    test_exactly_one_claims_and_the_officer_learns_it,
    test_twice_is_once_on_both_ways_and_in_two_groups,
)
from tests.support.city import City
from tests.support.handsets import Handsets
from tests.talk.test_calls_on_the_wire import (
    test_a_call_that_rings_is_answered_on_one_device,
    test_a_dispatcher_makes_a_temporary_group_and_pulls_more_in,
    test_hold_a_name_and_talk_and_only_he_hears,
    test_the_first_to_answer_gets_the_call,
)

pytestmark = pytest.mark.wire
__all__ = [
    "test_a_call_that_rings_is_answered_on_one_device",
    "test_a_dispatcher_hears_and_sees_an_sos_over_a_talker",
    "test_a_dispatcher_makes_a_temporary_group_and_pulls_more_in",
    "test_exactly_one_claims_and_the_officer_learns_it",
    "test_hold_a_name_and_talk_and_only_he_hears",
    "test_leader_and_officer_at_once_are_both_heard",
    "test_the_first_to_answer_gets_the_call",
    "test_twice_is_once_on_both_ways_and_in_two_groups",
]


@pytest.fixture
async def cast(city: City, street: Handsets) -> Cast:
    return Cast(city, street)
