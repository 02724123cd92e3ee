"""The incident machine: whatever way news arrive, the same incident, address and members come out."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.incidents.effects import (
    Address,
    AddressChanged,
    BringForward,
    Discarded,
    EventType,
    LinkChanged,
    MembersChanged,
    Rivals,
    WhyDiscarded,
)
from gateway.incidents.incident import State
from gateway.incidents.incident_state import ARCHIVE_MS, HANG_MS, NEWS_KEPT, IncidentState, Options, new_incident
from gateway.incidents.lifecycle import Happened, Linked, MembersResolved, NewsArrived, TakenBack, Tick, handle
from gateway.incidents.news import News
from gateway.incidents.rules import Attention
from gateway.incidents.settling import deadline
from gateway.incidents.steps import Step
from groups.vocabulary import GroupId, UserId
from tests.gateway.machine import ANNA, BORIS, CHEN, CODE, dispatched_to, kinds, news, open_incident, run


def test_a_filed_case_has_no_address_and_a_dispatched_one_has() -> None:
    state, effects = run(news(1, Step.FILE, title="Burst pipe"))
    assert (state.address, kinds(effects)) == (Address.NONE, [])
    state, effects = run(news(2, Step.DISPATCH, parties=dispatched_to(ANNA, BORIS)), state=state)
    assert state.address is Address.OPEN
    assert state.members == {ANNA, BORIS}
    assert effects[0] == AddressChanged(Address.OPEN, "Burst pipe")
    assert kinds(effects) == ["AddressChanged", "group.opened", "ResolveParties", "MembersChanged", "members.changed"]


def test_members_follow_re_dispatch() -> None:
    state, effects = run(news(3, Step.DISPATCH, parties=dispatched_to(BORIS, CHEN)), state=open_incident())
    changed = next(effect for effect in effects if isinstance(effect, MembersChanged))
    assert (changed.joined, changed.left) == ({CHEN}, {ANNA})
    assert state.members == {BORIS, CHEN}


def sos(alert: str, how: str, at: int, user: UserId = ANNA) -> Happened:
    return Happened(f"alert/{alert}/{how}", EventType.EMERGENCY, at, user, {"alert": alert, "state": how})


@pytest.mark.parametrize(
    ("step", "then", "events"),
    [
        (Step.SUSPEND, Address.PARKED, ["group.parked"]),
        (Step.RETURN, Address.PARKED, ["group.parked"]),
        (Step.VOID, Address.REMOVED, ["group.removed"]),
    ],
)
def test_a_group_is_not_taken_from_one_in_danger_until_all_alerts_in_it_are_over(
    step: Step, then: Address, events: list[str]
) -> None:
    state, _ = run(sos("a1", "raised", 10), sos("a2", "raised", 11, BORIS), state=open_incident())
    state, effects = run(news(3, step), Tick(), state=state)
    assert (state.address, state.members) == (Address.OPEN, {ANNA, BORIS})
    assert "AddressChanged" not in kinds(effects)
    state, _ = run(sos("a1", "claimed", 12), sos("a1", "resolved", 13), sos("a1", "resolved", 13), state=state)
    assert deadline(state, 14) is None, "one is still open"
    state, _ = run(sos("a2", "false_alarm", 15, BORIS), state=state)
    assert deadline(state, 16) == 15
    state, effects = run(Tick(), state=IncidentState.from_json(json.loads(json.dumps(state.to_json()))))
    assert state.address is then
    assert [kind for kind in kinds(effects) if kind in events] == events
    assert deadline(state, 17) is None


def test_a_closed_case_freezes_after_the_alert_however_long_ago_its_hang_time_was() -> None:
    state, _ = run(sos("a1", "raised", 10), news(3, Step.CLOSE), state=open_incident(), now=1_000)
    assert state.address is Address.CLOSING
    assert deadline(state, 1_001) is None
    late = 1_000 + 2 * HANG_MS
    state, _ = run(Tick(), state=state, now=late)
    assert state.address is Address.CLOSING
    state, _ = run(sos("a1", "cancelled", late), state=state, now=late)
    state, effects = run(Tick(), state=state, now=late + 1)
    assert state.address is Address.FROZEN
    assert "group.closed" in kinds(effects)


def test_who_is_in_danger_stays_a_member_until_that_is_over_and_goes_then() -> None:
    state, _ = run(sos("a1", "raised", 10), state=open_incident())
    state, _ = run(news(3, Step.DISPATCH, parties=dispatched_to(CHEN)), state=state)
    assert state.members == {ANNA, CHEN}
    state, _ = run(sos("a1", "resolved", 11), Tick(), state=state)
    assert state.members == {CHEN}


def test_the_same_news_a_hundred_times_do_nothing_but_once() -> None:
    again = news(2, Step.DISPATCH, parties=dispatched_to(ANNA, BORIS))
    state = open_incident()
    after, effects = run(*[again] * 100, state=state)
    assert after == state
    assert effects == [Discarded("n2", WhyDiscarded.REPEATED)] * 100


def test_older_news_fill_in_but_do_not_overrule() -> None:
    state, _ = run(
        news(3, Step.CLOSE), news(2, Step.DISPATCH, title="Second", level="2"), news(1, title="First", source="12345")
    )
    assert (state.incident.state, state.incident.title) == (State.CLOSED, "Second")
    assert (state.incident.source, state.incident.level) == ("12345", "2")
    assert [row.version for row in state.incident.log] == [1, 2, 3]


def test_suspended_parks_and_resumed_opens() -> None:
    state, effects = run(news(3, Step.ASK_SUSPENSION), news(4, Step.SUSPEND), state=open_incident())
    assert state.address is Address.PARKED
    assert kinds(effects) == ["AddressChanged", "group.parked"]
    state, effects = run(news(5, Step.RESUME), state=state)
    assert state.address is Address.OPEN
    assert state.members == {ANNA, BORIS}


def test_sent_back_parks_until_dispatched_anew() -> None:
    state, _ = run(news(3, Step.RETURN), state=open_incident())
    assert (state.incident.state, state.address) == (State.FILED, Address.PARKED)
    state, _ = run(news(4, Step.DISPATCH, parties=dispatched_to(CHEN)), state=state)
    assert (state.address, state.members) == (Address.OPEN, {CHEN})


def test_closed_hangs_and_then_freezes() -> None:
    state, effects = run(news(3, Step.FEED_BACK), news(4, Step.CLOSE), state=open_incident(), now=5_000)
    assert state.address is Address.CLOSING
    assert kinds(effects) == ["AddressChanged"]
    assert deadline(state, 5_000) == 5_000 + HANG_MS
    early, effects = handle(state, Tick(), 5_000 + HANG_MS - 1)
    assert (early.address, effects) == (Address.CLOSING, ())
    late, effects = handle(state, Tick(), 5_000 + HANG_MS)
    assert late.address is Address.FROZEN
    assert kinds(list(effects)) == ["AddressChanged", "group.closed"]
    assert late.members == {ANNA, BORIS}
    assert handle(late, Tick(), 5_000 + 2 * HANG_MS) == (late, ())


def test_frozen_long_enough_it_is_archived_and_a_case_opened_again_comes_back() -> None:
    frozen, _ = handle(run(news(3, Step.CLOSE), state=open_incident(), now=0)[0], Tick(), HANG_MS)
    due = HANG_MS + ARCHIVE_MS
    assert deadline(frozen, HANG_MS) == due
    early, effects = handle(frozen, Tick(), due - 1)
    assert (early.address, effects) == (Address.FROZEN, ())
    archived, effects = handle(frozen, Tick(), due)
    assert (archived.address, archived.members) == (Address.ARCHIVED, {ANNA, BORIS})
    assert effects == (AddressChanged(Address.ARCHIVED, archived.name),), "the case system has nothing to do about it"
    assert deadline(archived, due) is None
    evaluated, _ = run(news(4, Step.EVALUATE, title="Evaluated"), state=archived, now=due + 1)
    assert evaluated.address is Address.ARCHIVED
    again, effects = run(news(5, Step.REWORK), state=evaluated, now=due + 2)
    assert (again.address, again.members) == (Address.OPEN, {ANNA, BORIS})
    assert effects[0] == AddressChanged(Address.OPEN, "Evaluated")
    assert handle(frozen, NewsArrived(news(4, Step.VOID)), due)[0].address is Address.REMOVED


def test_one_frozen_before_there_was_an_archive_gets_its_time() -> None:
    frozen, _ = handle(run(news(3, Step.CLOSE), state=open_incident(), now=0)[0], Tick(), HANG_MS)
    old = replace(frozen, archive_at=None)
    after, effects = handle(old, Tick(), 5 * HANG_MS)
    assert (after.archive_at, effects) == (5 * HANG_MS + ARCHIVE_MS, ())


def test_a_burst_in_the_hang_time_starts_it_again() -> None:
    state, _ = run(news(3, Step.CLOSE), state=open_incident(), now=0)
    burst = Happened("b7", EventType.BURST, HANG_MS - 1, ANNA)
    state, effects = handle(state, burst, HANG_MS - 1)
    assert kinds(list(effects)) == ["burst.recorded"]
    assert handle(state, Tick(), HANG_MS)[0].address is Address.CLOSING
    assert handle(state, Tick(), 2 * HANG_MS - 1)[0].address is Address.FROZEN
    state, _ = handle(state, Happened("b6", EventType.BURST, 5, ANNA), HANG_MS)
    assert deadline(state, HANG_MS) == 2 * HANG_MS - 1, "one that is told late shortens nothing"


def test_rework_during_the_hang_time_just_goes_on() -> None:
    closing, _ = run(news(3, Step.CLOSE), state=open_incident())
    state, effects = run(news(4, Step.REWORK), state=closing)
    assert state.address is Address.OPEN
    assert state.freeze_at is None
    assert kinds(effects) == ["AddressChanged"]


def test_void_removes_the_address_and_its_members() -> None:
    state, effects = run(news(3, Step.VOID), state=open_incident())
    assert (state.address, state.members) == (Address.REMOVED, frozenset())
    assert kinds(effects) == ["AddressChanged", "group.removed"]


def test_a_case_first_heard_of_when_void_never_had_an_address() -> None:
    state, effects = run(news(9, state=State.VOID))
    assert (state.address, effects) == (Address.NONE, [])


def test_a_step_the_table_does_not_know_there_stands_in_the_log_and_changes_nothing() -> None:
    state, _ = run(news(1, Step.FILE), news(2, Step.RESUME))
    assert state.incident.state is State.FILED
    assert [row.fits for row in state.incident.log] == [True, False]


def test_a_state_named_outright_counts_whatever_the_table_says() -> None:
    state, _ = run(news(1, Step.RESUME, state=State.HANDLING))
    assert (state.incident.state, state.address) == (State.HANDLING, Address.OPEN)


@pytest.mark.parametrize(
    ("facts", "forward"),
    [({}, False), ({"urgent": True}, True), ({"sudden": True}, True), ({"supervised": True}, True)],
)
def test_only_what_a_rule_names_comes_forward(facts: dict, forward: bool) -> None:
    _, effects = run(news(1, Step.DISPATCH, parties=dispatched_to(ANNA), **facts))
    wanted = [BringForward(frozenset({ANNA}), Attention.SWITCHED)] if forward else []
    assert [effect for effect in effects if isinstance(effect, BringForward)] == wanted


def test_made_urgent_later_brings_all_members_forward_once() -> None:
    state, effects = run(news(3, Step.MAKE_URGENT), news(4, Step.SUPERVISE), state=open_incident())
    assert [e for e in effects if isinstance(e, BringForward)] == [
        BringForward(frozenset({ANNA, BORIS}), Attention.SWITCHED)
    ]
    _, effects = run(MembersResolved(frozenset({ANNA, BORIS, CHEN})), state=state)
    assert BringForward(frozenset({CHEN}), Attention.SWITCHED) in effects


@pytest.mark.parametrize("way", [(Step.SUSPEND, Step.RESUME), (Step.CLOSE, Step.REOPEN, Step.DISPATCH)])
def test_what_goes_on_after_a_rest_comes_forward_as_if_it_were_new(way: tuple[Step, ...]) -> None:
    state = open_incident(urgent=True)
    assert state.attention is Attention.SWITCHED
    resting, _ = run(news(3, way[0]), state=state)
    assert resting.attention is Attention.QUIET
    state, effects = run(*(news(4 + at, step) for at, step in enumerate(way[1:])), state=resting)
    assert (state.address, state.attention) == (Address.OPEN, Attention.SWITCHED)
    assert [e for e in effects if isinstance(e, BringForward)] == [
        BringForward(frozenset({ANNA, BORIS}), Attention.SWITCHED)
    ]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"id": "z", "at": 5}, {"id": "a", "at": 6}),
        ({"id": "a", "at": 5}, {"id": "b", "at": 5}),
    ],
)
def test_of_two_with_one_version_the_time_decides_then_the_id_whichever_came_first(one: dict, other: dict) -> None:
    one, other = replace(news(3, title="a"), **one), replace(news(3, title="b"), **other)
    for both in ((one, other), (other, one)):
        state, effects = run(*both, state=open_incident())
        assert state.incident.title == "b"
        assert [effect for effect in effects if isinstance(effect, Rivals)] == [Rivals(both[1].id, both[0].id, 3)]
    _, effects = run(replace(one, at=9), state=state)
    assert effects == [Discarded(one.id, WhyDiscarded.REPEATED)], "it came again, and its time was not told"


def test_an_officers_taps_count_once_and_only_forward() -> None:
    state = open_incident()
    taps = [EventType.ACCEPTED, EventType.ON_SCENE, EventType.ON_THE_WAY, EventType.ON_SCENE, EventType.DONE]
    state, effects = run(*(Happened(f"t{n}", tap, n, ANNA) for n, tap in enumerate(taps)), state=state)
    assert kinds(effects) == ["officer.accepted", "officer.on_scene", "Discarded", "Discarded", "officer.done"]
    assert dict(state.taps) == {ANNA: EventType.DONE}


@pytest.mark.parametrize(
    "again",
    [
        (news(3, Step.FEED_BACK), news(4, Step.REWORK)),
        (news(3, state=State.FEEDBACK), news(4, state=State.HANDLING)),
        (news(3, Step.REWORK),),
        (news(3, Step.CLOSE), news(4, Step.REOPEN), news(5, Step.DISPATCH)),
    ],
)
def test_who_tapped_done_taps_again_when_the_work_begins_anew(again: tuple[News, ...]) -> None:
    done, _ = run(Happened("t1", EventType.DONE, 1, ANNA), state=open_incident())
    state, _ = run(*again, state=done)
    assert (state.round, state.taps, state.tapped_before) == (1, (), {ANNA})
    state, effects = run(Happened("t2", EventType.ACCEPTED, 2, ANNA), state=state)
    assert kinds(effects) == ["officer.accepted"]
    kept, _ = run(news(3, Step.EXTEND), news(4, Step.SUSPEND), news(5, Step.RESUME), state=done)
    assert (kept.round, dict(kept.taps)) == (0, {ANNA: EventType.DONE})


def test_a_rework_that_comes_late_takes_no_taps_back() -> None:
    state, _ = run(news(3, Step.FEED_BACK), news(5, Step.FEED_BACK), state=open_incident())
    state, _ = run(Happened("t1", EventType.DONE, 1, ANNA), news(4, Step.REWORK), state=state)
    assert dict(state.taps) == {ANNA: EventType.DONE}


def test_groups_are_linked_by_hand_and_taken_off() -> None:
    state, effects = run(Linked(GroupId("g1")), Linked(GroupId("g1")), state=open_incident())
    assert effects == [LinkChanged(frozenset({GroupId("g1")}))]
    _, effects = run(Linked(GroupId("g1"), linked=False), state=state)
    assert effects == [LinkChanged(frozenset())]


def test_news_are_put_in_order_up_to_the_limit_and_one_beyond_is_old() -> None:
    state, _ = run(*(news(version) for version in range(1, NEWS_KEPT + 1)))
    state, effects = run(news(0, title="late"), state=state)
    assert effects == []
    assert (len(state.news), state.base_order) == ((NEWS_KEPT + 1) - (NEWS_KEPT + 1) // 2, (127, "n127"))
    assert state.incident.title == "late"
    assert len(state.incident.log) == NEWS_KEPT + 1
    for version, older in ((127, True), (128, False)):
        _, effects = run(News(id="new", version=version, at=0, title="again"), state=state)
        assert (effects == [Discarded("new", WhyDiscarded.OLD)]) is older


def test_news_of_one_version_are_settled_together() -> None:
    three = [replace(news(2), id=each) for each in "abc"]
    state, _ = run(news(1), *three, news(3), news(4), options=Options(news_kept=5))
    assert ([each.version for each in state.news], state.base_order) == ([3, 4], (2, "c"))


def test_the_state_survives_json() -> None:
    state, _ = run(Linked(GroupId("g1")), Happened("t", EventType.ACCEPTED, 5, ANNA), state=open_incident(urgent=True))
    assert IncidentState.from_json(json.loads(json.dumps(state.to_json()))) == state


STORY = (
    news(1, Step.REPORT, title="Fallen tree"),
    news(2, Step.FILE, level="3"),
    news(3, Step.DISPATCH, parties=dispatched_to(ANNA, BORIS)),
    news(4, Step.RETURN, opinion="not ours"),
    news(5, Step.DISPATCH, parties=dispatched_to(BORIS, CHEN)),
    news(6, Step.ACCEPT),
    news(7, Step.MAKE_URGENT),
    news(8, Step.ASK_SUSPENSION),
    news(9, Step.SUSPEND),
    news(10, Step.RESUME),
    news(11, Step.FEED_BACK),
    news(12, Step.REWORK),
    news(13, Step.FEED_BACK),
    news(14, Step.CLOSE),
    news(15, Step.EVALUATE),
)


@given(
    st.integers(1, len(STORY)).flatmap(
        lambda n: st.tuples(
            st.permutations(STORY[:n]), st.lists(st.sampled_from(STORY[:n]), max_size=5), st.just(STORY[:n])
        )
    ),
    st.integers(4, 30),
)
def test_shuffled_and_repeated_news_settle_as_in_order(parts: tuple, kept: int) -> None:
    shuffled, repeats, in_order = parts

    def settle(told: list[News]) -> IncidentState:
        state, _ = run(*told)
        return handle(state, Tick(), 10**9)[0]

    orderly, shaken = settle(list(in_order)), settle([*shuffled, *repeats])
    assert shaken.incident == orderly.incident
    assert (shaken.address, shaken.members) == (orderly.address, orderly.members)
    assert len(shaken.news) == len(in_order)


def test_compacting_does_not_change_what_comes_out() -> None:
    options = Options(news_kept=4)
    small = full = new_incident(CODE)
    for one in STORY:
        small, _ = handle(small, NewsArrived(one), 0, options)
        full, _ = handle(full, NewsArrived(one), 0)
    assert small.incident == full.incident
    assert len(small.news) <= 4 < len(full.news)


def test_an_input_never_raises_after_any_other() -> None:
    inputs = [NewsArrived(one) for one in STORY] + [
        Tick(),
        MembersResolved(frozenset()),
        Happened("x", EventType.PHOTO, 1),
        Happened("x", EventType.DONE, 1),
        Linked(GroupId("g")),
        TakenBack(STORY[0].version),
        TakenBack(-1),
    ]
    for first in inputs:
        for second in inputs:
            state, _ = handle(new_incident(CODE), first, 1)
            state, _ = handle(state, second, 2)
            assert replace(state) == IncidentState.from_json(state.to_json())
