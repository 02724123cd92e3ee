"""Who goes before whom on the floor, pair by pair: over whom one talks, beside whom, and that none silences an SOS."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from groups.floor import effects, inputs, precedence
from groups.floor.machine import handle
from groups.floor.merge import merge
from groups.floor.options import FloorOptions
from groups.floor.precedence import TALKERS, Kind
from groups.floor.state import Burst, FloorState
from groups.vocabulary import Tier, UserId

PLAIN, CUT_IN, DUAL = FloorOptions(), FloorOptions(audio_cut_in=True), FloorOptions(dual_floor=True)
KINDS = {
    "normal": {"priority": 100},
    "dispatcher": {"priority": 200, "may_preempt": True, "dispatcher": True},
    "peril": {"tier": Tier.IMMINENT_PERIL},
    "leader": {"tier": Tier.EMERGENCY, "priority": 240, "may_preempt": True},
    "sos": {"tier": Tier.EMERGENCY, "priority": inputs.SOS_PRIORITY, "sos": True},
}
ON_AIR_AFTER = {
    # who was there: who asks: who is on air then
    "normal": {
        "normal": "first",
        "dispatcher": "second",
        "peril": "second",
        "leader": "second",
        "sos": "second",
    },
    "dispatcher": {
        "normal": "first",
        "dispatcher": "first",
        "peril": "both",
        "leader": "both",
        "sos": "both",
    },
    "peril": {
        "normal": "first",
        "dispatcher": "both",
        "peril": "first",
        "leader": "second",
        "sos": "second",
    },
    "leader": {
        "normal": "first",
        "dispatcher": "both",
        "peril": "first",
        "leader": "first",
        "sos": "both",
    },
    "sos": {
        "normal": "first",
        "dispatcher": "both",
        "peril": "first",
        "leader": "both",
        "sos": "both",
    },
}
PAIRS = [(first, second) for first in KINDS for second in KINDS]


def ask(state: FloorState, who: str, kind: str, now: int) -> tuple[FloorState, tuple[effects.FloorEffect, ...]]:
    return handle(state, inputs.Request(UserId(who), who, participants=5, request=who, **KINDS[kind]), now)


def on_air(state: FloorState) -> set[str]:
    return {burst.user for burst in state.bursts if burst.revoked is None}


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_each_pair(first: str, second: str) -> None:
    before, _ = ask(FloorState(FloorOptions(revoke_grace_ms=0)), "first", first, 10)
    state, done = ask(before, "second", second, 20)
    wanted = {"both": {"first", "second"}}.get(expected := ON_AIR_AFTER[first][second], {expected})
    assert on_air(state) == wanted
    if expected == "first":
        assert isinstance(done[-1], effects.Queued), "who is not heard waits"


@pytest.mark.parametrize(("first", "second"), [pair for pair in PAIRS if ON_AIR_AFTER[pair[0]][pair[1]] == "both"])
@pytest.mark.parametrize("options", [CUT_IN, DUAL, FloorOptions(queueing=False)], ids=["cut-in", "dual", "no queue"])
def test_no_option_of_a_group_parts_whom_an_emergency_puts_beside_each_other(
    first: str, second: str, options: FloorOptions
) -> None:
    state, _ = ask(FloorState(options), "first", first, 10)
    state, done = ask(state, "second", second, 20)
    assert on_air(state) == {"first", "second"}
    assert not [each for each in done if isinstance(each, effects.Revoked)]


def test_an_emergency_gives_no_grace() -> None:
    for second in ("leader", "sos"):
        state, _ = ask(FloorState(PLAIN), "first", "normal", 10)
        state, done = ask(state, "second", second, 20)
        assert on_air(state) == {"second"}
        assert [each.grace_ms for each in done if isinstance(each, effects.Revoked)] == [0]


def given_up(burst: Burst, now: int) -> bool:
    """Whether it ends by its own timers: its phone said nothing for T1, or after a grant from the queue for T132."""
    return any(at is not None and at <= now for at in (burst.end_of_media_at, burst.answer_at))


steps = st.lists(
    st.tuples(st.integers(0, 5), st.sampled_from([*KINDS, "lets go"]), st.integers(0, 300)), min_size=4, max_size=25
)


@given(steps, st.sampled_from([PLAIN, CUT_IN, DUAL]))
@example([(0, "sos", 0), (1, "sos", 0), (2, "sos", 0), (0, "lets go", 0), *[(3, "normal", 300)] * 7], PLAIN)
def test_whatever_is_pressed_nobody_in_danger_is_silenced_and_no_dispatcher_waits_behind_an_emergency(
    history: list[tuple[int, str, int]], options: FloorOptions
) -> None:
    state, now = FloorState(options), 1_000
    for number, what, later in history:
        now, user = now + later, f"u{number}"
        before = {burst.user: burst for burst in state.bursts if burst.user != user and not given_up(burst, now)}
        if what == "lets go":
            state, _ = handle(state, inputs.Release(UserId(user), user), now)
        else:
            asked = inputs.Request(UserId(user), user, participants=6, request="r", **KINDS[what])
            state, _ = handle(state, asked, now)
            others = [burst for burst in state.bursts if burst.user != user]
            if what == "dispatcher" and all(burst.tier > Tier.NORMAL for burst in others):
                assert user in {burst.user for burst in state.bursts}
        left = {burst.user for burst in state.bursts}
        kinds = {name: precedence.kind(burst) for name, burst in before.items()}
        assert {name for name, each in kinds.items() if each is Kind.SOS} <= left
        if what in ("peril", "leader", "sos"):
            assert {name for name, each in kinds.items() if each is Kind.DISPATCHER} <= left
        assert sum(not burst.dispatcher for burst in state.bursts) <= TALKERS
        assert FloorState.from_json(state.to_json()) == state


def test_a_dispatcher_talks_beside_one_in_danger_and_his_leader_and_the_next_one_after_him() -> None:
    state = FloorState(PLAIN)
    asked = {"officer": "sos", "leader": "leader", "desk": "dispatcher", "other leader": "leader", "next": "dispatcher"}
    for number, (user, kind) in enumerate(asked.items()):
        state, _ = ask(state, user, kind, 10 + number)
    assert on_air(state) == {"officer", "leader", "desk"}
    assert [entry.user for entry in state.queue] == ["other leader", "next"]
    state, _ = handle(state, inputs.Release(UserId("desk"), "desk"), 40)
    assert on_air(state) == {"officer", "leader", "next"}
    state, _ = handle(state, inputs.Release(UserId("leader"), "leader"), 50)
    assert on_air(state) == {"officer", "other leader", "next"}


def test_beside_one_in_danger_the_higher_leader_takes_the_place_of_the_lower_and_an_sos_that_of_a_leader() -> None:
    state, _ = ask(FloorState(PLAIN), "officer", "sos", 10)
    state, _ = ask(state, "leader", "leader", 20)
    higher = inputs.Request(UserId("mayor"), "mayor", 5, "r", 250, may_preempt=True, tier=Tier.EMERGENCY)
    state, _ = handle(state, higher, 30)
    assert on_air(state) == {"officer", "mayor"}
    state, _ = ask(state, "colleague", "sos", 40)
    assert on_air(state) == {"officer", "colleague"}


def test_when_the_emergency_is_over_a_dispatcher_and_the_officer_finish_their_words() -> None:
    state, _ = ask(FloorState(PLAIN), "officer", "sos", 10)
    state, _ = ask(state, "desk", "dispatcher", 20)
    state, done = handle(state, inputs.TierChanged(UserId("officer"), Tier.NORMAL), 30)
    assert on_air(state) == {"officer", "desk"}
    assert not [each for each in done if isinstance(each, effects.Revoked)]


def test_nodes_that_meet_again_keep_one_in_danger_and_whoever_may_be_beside_him() -> None:
    here, _ = ask(FloorState(PLAIN), "officer", "sos", 1_000)
    for kind, kept in (("normal", {"officer"}), ("leader", {"officer", "other"}), ("dispatcher", {"officer", "other"})):
        there, _ = ask(FloorState(PLAIN), "other", kind, 2_000)
        assert on_air(merge(here, there, {"officer"}.__contains__)) == kept


def test_two_in_sos_are_both_heard_and_a_third_as_soon_as_one_of_them_ends() -> None:
    state, _ = ask(FloorState(PLAIN), "one", "sos", 10)
    state, _ = ask(state, "two", "sos", 20)
    state, done = ask(state, "three", "sos", 30)
    assert [burst.user for burst in state.bursts] == ["one", "two"]
    assert isinstance(done[-1], effects.Queued)
    state, _ = handle(state, inputs.Release(UserId("one"), "one"), 40)
    assert [(burst.user, burst.sos) for burst in state.bursts] == [("two", True), ("three", True)]


@pytest.mark.parametrize("options", [PLAIN, CUT_IN, DUAL], ids=["plain", "cut-in", "dual"])
def test_no_leader_silences_one_in_sos_however_many_press(options: FloorOptions) -> None:
    state, _ = ask(FloorState(options), "sos", "sos", 10)
    for number in range(4):
        state, _ = ask(state, f"leader{number}", "leader", 20 + number)
    assert "sos" in {burst.user for burst in state.bursts if burst.revoked is None}


def test_of_two_leaders_the_higher_number_else_the_first() -> None:
    state, _ = ask(FloorState(PLAIN), "one", "leader", 10)
    state, _ = ask(state, "two", "leader", 20)
    assert [burst.user for burst in state.bursts] == ["one"]
    higher = inputs.Request(UserId("three"), "three", 5, "r", 250, may_preempt=True, tier=Tier.EMERGENCY)
    assert [burst.user for burst in handle(state, higher, 30)[0].bursts] == ["three"]


def test_an_sos_pressed_while_talking_or_waiting_counts_at_once() -> None:
    state, _ = ask(FloorState(PLAIN), "talker", "normal", 10)
    state, _ = ask(state, "waiting", "normal", 20)
    lifted, _ = handle(state, inputs.TierChanged(UserId("talker"), Tier.EMERGENCY, sos=True), 30)
    lifted, _ = ask(lifted, "leader", "leader", 40)
    assert {burst.user for burst in lifted.bursts} == {"talker", "leader"}
    taken, done = handle(state, inputs.TierChanged(UserId("waiting"), Tier.EMERGENCY, sos=True), 30)
    assert [burst.user for burst in taken.bursts] == ["waiting"]
    assert any(isinstance(each, effects.Granted) and each.user == "waiting" for each in done)
    assert FloorState.from_json(taken.to_json()) == taken
    taken, _ = ask(taken, "leader", "leader", 40)
    assert on_air(taken) == {"waiting", "leader"}, "who waited is in danger, and silenced by nobody"


def test_who_waits_and_declares_an_emergency_goes_by_the_number_and_the_right_he_pressed_with() -> None:
    for right, heard in ((True, {"mayor"}), (False, {"leader"})):
        state, _ = ask(FloorState(PLAIN), "leader", "leader", 10)
        mayor = inputs.Request(UserId("mayor"), "mayor", 5, "r", 250, may_preempt=right)
        state, _ = handle(state, mayor, 20)
        assert on_air(state) == {"leader"}
        state, _ = handle(state, inputs.TierChanged(UserId("mayor"), Tier.EMERGENCY), 30)
        assert on_air(state) == heard


def test_when_the_danger_is_over_only_one_of_two_stays_on_air() -> None:
    state = FloorState()
    given = (
        inputs.Request(UserId("leader"), "l", 3, tier=Tier.EMERGENCY, priority=200),
        inputs.Request(UserId("officer"), "o", 3, tier=Tier.EMERGENCY, sos=True),
    )
    for each in given:
        state, _ = handle(state, each, 1_000)
    assert len(state.bursts) == 2
    state, done = handle(state, inputs.TierChanged(UserId("officer"), Tier.NORMAL), 2_000)
    assert [burst.user for burst in state.bursts] == ["leader"]
    assert any(isinstance(effect, effects.Revoked) and effect.user == "officer" for effect in done)
