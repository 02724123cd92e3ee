"""News that were told wrongly and are taken back: the incident stands as if they had never come."""

from __future__ import annotations

import json
from dataclasses import replace

from gateway.incidents.effects import (
    Address,
    Discarded,
    WhyDiscarded,
)
from gateway.incidents.incident import State
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import TakenBack
from gateway.incidents.steps import Step
from tests.gateway.machine import ANNA, BORIS, CHEN, dispatched_to, kinds, news, open_incident, run


def test_what_was_told_wrongly_and_taken_back_leaves_no_trace_and_is_known_when_it_comes_again() -> None:
    right = [news(3, Step.ACCEPT), news(4, Step.MAKE_URGENT)]
    wrong = news(2**40, Step.CLOSE, parties=dispatched_to(CHEN))
    state, _ = run(wrong, *right, state=open_incident())
    assert (state.address, state.members, state.incident.urgent) == (Address.CLOSING, {CHEN}, True)
    state, effects = run(TakenBack(wrong.version), state=state)
    straight, _ = run(*right, state=open_incident())
    assert state.incident == straight.incident
    assert (state.address, state.members) == (Address.OPEN, {ANNA, BORIS})
    assert "members.changed" in kinds(effects)
    state = IncidentState.from_json(json.loads(json.dumps(state.to_json())))
    assert run(wrong, state=state) == (state, [Discarded(wrong.id, WhyDiscarded.TAKEN_BACK)])
    assert run(TakenBack(wrong.version), state=state)[1] == [Discarded(str(wrong.version), WhyDiscarded.UNKNOWN)]
    state, _ = run(news(5, Step.SUSPEND), state=state)
    assert state.address is Address.PARKED


def test_of_two_with_one_version_only_the_one_that_was_wrong_is_taken_back() -> None:
    right, wrong = (replace(news(3, step), id=name) for step, name in ((Step.ACCEPT, "right"), (Step.CLOSE, "wrong")))
    state, _ = run(right, wrong, state=open_incident())
    assert state.address is Address.CLOSING
    back = TakenBack(3, "wrong")
    state, _ = run(back, state=state)
    assert (state.incident.state, state.address) == (State.HANDLING, Address.OPEN)
    assert run(wrong, state=state) == (state, [Discarded("wrong", WhyDiscarded.TAKEN_BACK)])
    assert run(right, state=state) == (state, [Discarded("right", WhyDiscarded.REPEATED)])
    assert run(back, state=state)[1] == [Discarded("wrong", WhyDiscarded.UNKNOWN)]
    assert run(TakenBack(3), state=state)[0].incident == open_incident().incident


def test_a_case_of_which_all_was_taken_back_has_no_address_and_may_be_told_anew() -> None:
    state, _ = run(news(9, Step.DISPATCH, parties=dispatched_to(ANNA)))
    state, effects = run(TakenBack(9), state=state)
    assert (state.address, state.members) == (Address.NONE, frozenset())
    assert kinds(effects) == ["AddressChanged", "group.removed"]
    state, effects = run(news(1, Step.DISPATCH, parties=dispatched_to(ANNA)), state=state)
    assert (state.address, state.members) == (Address.OPEN, {ANNA})
    assert "members.changed" in kinds(effects)
