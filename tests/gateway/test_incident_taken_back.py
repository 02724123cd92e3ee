"""News that were told wrongly and are taken back: the incident stands as if they had never come."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from gateway.incidents.effects import (
    Address,
    Discarded,
    EventType,
    WhyDiscarded,
)
from gateway.incidents.incident import State
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import Happened, TakenBack
from gateway.incidents.news import News
from gateway.incidents.steps import Step
from groups.vocabulary import UserId
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


@pytest.mark.parametrize(
    "rework",
    [
        (news(4, Step.REWORK),),
        (news(4, state=State.HANDLING),),
        (replace(news(4, Step.REWORK), id="told"), replace(news(4, Step.REWORK), id="told twice")),
    ],
)
def test_officers_have_their_taps_again_when_the_rework_that_asked_for_new_ones_is_taken_back(
    rework: tuple[News, ...],
) -> None:
    before = (tap(ANNA, EventType.DONE), tap(BORIS, EventType.ON_THE_WAY))
    done, _ = run(*before, news(3, Step.FEED_BACK), state=open_incident())
    since = (tap(ANNA, EventType.ACCEPTED), tap(BORIS, EventType.ON_SCENE))
    state, _ = run(*rework, *since, state=done)
    assert dict(state.taps) == {ANNA: EventType.ACCEPTED, BORIS: EventType.ON_SCENE}
    state = IncidentState.from_json(json.loads(json.dumps(state.to_json())))
    back, effects = run(TakenBack(4), state=state)
    assert (back.incident, dict(back.taps)) == (done.incident, {ANNA: EventType.DONE, BORIS: EventType.ON_SCENE})
    assert kinds(effects) == [], "what was tapped was told when it was"
    _, effects = run(tap(ANNA, EventType.ON_SCENE), tap(BORIS, EventType.DONE), state=back)
    assert kinds(effects) == ["Discarded", "officer.done"]
    again, _ = run(news(5, Step.REWORK), state=back)
    assert (again.taps, again.round) == ((), state.round + 1), "of a round that never was no id is used again"


def test_of_two_reworks_the_wrong_one_is_taken_back_and_the_other_still_asks_for_new_taps() -> None:
    state, _ = run(tap(ANNA, EventType.DONE), news(3, Step.REWORK), tap(BORIS, EventType.DONE), state=open_incident())
    state, _ = run(news(4, Step.REWORK), tap(BORIS, EventType.ACCEPTED), state=state)
    first, _ = run(TakenBack(3), state=state)
    assert dict(first.taps) == {BORIS: EventType.ACCEPTED}
    both, _ = run(TakenBack(4), state=first)
    assert dict(both.taps) == {ANNA: EventType.DONE, BORIS: EventType.DONE}
    second, _ = run(TakenBack(4), state=state)
    assert dict(second.taps) == {BORIS: EventType.DONE}
    assert run(TakenBack(3), state=second)[0].taps == both.taps


def tap(user: UserId, kind: EventType) -> Happened:
    return Happened(f"{user}/{kind}", kind, 1, user)
