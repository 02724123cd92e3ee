"""The call machine: who is called, who came, when it ends (TS 24.379)."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from groups.calls import effects as out
from groups.calls import inputs as into
from groups.calls.machine import deadline, handle
from groups.calls.state import Answering, CallEnd, CallKind, CallOptions, CallState, Part, Phase
from groups.vocabulary import Refusal, Tier, UserId
from tests.groups.call_stage import BURST, MOVED, NEW, NEXT, RINGING, A, B, C, D, started


def test_a_private_call_answered_automatically_runs_at_once() -> None:
    state, effects = started()
    assert state.phase is Phase.RUNNING
    assert out.Join(B, None) in effects
    assert effects[-1] == out.Running()


def test_a_private_call_answered_by_hand_rings_and_runs_when_accepted() -> None:
    state, effects = started(options=RINGING)
    assert out.Ring(B) in effects
    assert state.phase is Phase.SETTING_UP
    state, effects = handle(state, into.Accept(B, "b1", "x"), 100)
    assert state.phase is Phase.RUNNING
    assert effects[0] == out.Done("b1", "x")
    assert out.Join(B, "b1") in effects


def test_the_first_to_answer_is_rung_for_whatever_was_asked() -> None:
    state, effects = started(CallKind.FIRST_TO_ANSWER, (B, C, D), CallOptions(answering=Answering.AUTOMATIC))
    assert [effect for effect in effects if isinstance(effect, out.Ring)] == [out.Ring(B), out.Ring(C), out.Ring(D)]
    state, _ = handle(state, into.Accept(C, "c1", "x"), 100)
    assert [party.user for party in state.present()] == [A, C]
    assert {state.party(user).part for user in (B, D)} == {Part.NOT_NEEDED}  # type: ignore[union-attr]


def test_of_a_call_of_many_each_step_is_written_as_it_is() -> None:
    many = tuple(UserId(f'u"{n} 王') for n in range(300))
    state, _ = started(CallKind.PREARRANGED, many[:250])
    steps = [state, handle(state, into.Add(many, frozenset(many)), 1)[0]]
    for asked in (into.Leave(many[7], "k"), into.BurstBegan(BURST), into.Leave(many[299], "é"), into.Leave(A, "a1")):
        steps.append(handle(steps[-1], asked, 2)[0])
    steps.append(replace(steps[-1], parties=steps[-1].parties[:5] + steps[-1].parties[6:]))
    steps.append(replace(steps[-1], parties=steps[-1].parties[:3]))
    assert len({len(each.parties) for each in steps}) == 4
    for each in (*steps, *reversed(steps)):
        parties = [{"user": p.user, "part": p.part.value, "key": p.key} for p in each.parties]
        text = each.to_json()
        assert text.endswith(f'"parties":{json.dumps(parties, separators=(",", ":"))}}}')
        assert CallState.from_json(text) == each


def test_the_second_device_of_one_user_is_told_that_the_first_answered() -> None:
    state, _ = started(options=RINGING)
    state, _ = handle(state, into.Accept(B, "b1", "x"), 100)
    _, effects = handle(state, into.Accept(B, "b2", "y"), 100)
    assert effects == (out.Refused("b2", "y", Refusal.ANSWERED_ELSEWHERE),)


def test_who_answered_on_one_device_hears_the_call_on_no_other_that_comes_later() -> None:
    state, _ = started(options=RINGING)
    state, _ = handle(state, into.Accept(B, "tablet", "x"), 100)
    assert handle(state, into.Came(B, "phone"), 200) == (replace(state, clock=200), ())
    assert handle(state, into.Came(A, "a2"), 200)[1] == ()
    assert handle(state, into.Came(B, "tablet"), 200)[1] == (out.Join(B, "tablet"),)
    state, _ = started()
    assert handle(state, into.Came(B, "phone"), 200)[1] == (out.Join(B, "phone"),), "all of his are in it"


def test_a_call_loses_who_answered_with_the_device_he_answered_on_or_else_with_his_last() -> None:
    state, _ = started(options=RINGING)
    state, _ = handle(state, into.Accept(B, "tablet", "x"), 100)
    assert handle(state, into.Gone(B, "phone", last=False), 200)[0].phase is Phase.RUNNING
    assert handle(state, into.Gone(B, "tablet", last=False), 200)[0].end is CallEnd.HUNG_UP
    state, _ = started()
    assert handle(state, into.Gone(B, "tablet", last=False), 200)[0].phase is Phase.RUNNING
    assert handle(state, into.Gone(B, "phone", last=True), 200)[0].end is CallEnd.HUNG_UP


def test_a_call_that_is_not_answered_ends_when_it_has_rung_long_enough() -> None:
    state, _ = started(options=RINGING)
    assert handle(state, into.Tick(), 29_999)[0].phase is Phase.SETTING_UP
    state, effects = handle(state, into.Tick(), 30_000)
    assert effects[-1] == out.Ended(CallEnd.NO_ANSWER)


def test_each_way_to_come_to_nothing_has_its_own_end() -> None:
    assert started(reachable=frozenset())[0].end is CallEnd.UNREACHABLE
    assert started(busy=frozenset({B}))[0].end is CallEnd.BUSY
    state, _ = started(options=RINGING)
    assert handle(state, into.Refuse(B, "b1", "x"), 1)[0].end is CallEnd.REFUSED
    assert handle(state, into.Leave(A, "a1", "x"), 1)[0].end is CallEnd.CANCELLED


def test_an_emergency_call_reaches_one_who_is_busy() -> None:
    state, _ = started(busy=frozenset({B}), tier=Tier.EMERGENCY)
    assert state.phase is Phase.RUNNING


def test_a_call_to_oneself_is_refused() -> None:
    state, effects = started(called=(A,))
    assert effects == (out.Refused("a1", "r", Refusal.NOBODY_CALLED),)
    assert state.phase is Phase.ENDED


def test_the_first_to_answer_gets_the_call_and_the_others_stop_ringing() -> None:
    state, _ = started(CallKind.FIRST_TO_ANSWER, (B, C, D), RINGING)
    state, effects = handle(state, into.Accept(C, "c1", "x"), 10)
    assert {p.user for p in state.present()} == {A, C}
    assert out.StopRinging(B, Part.NOT_NEEDED, None) in effects
    assert handle(state, into.Accept(B, "b1", "y"), 11)[1] == (out.Refused("b1", "y", Refusal.CALL_OVER),)


def test_one_who_was_unreachable_is_brought_into_a_running_group_call_when_he_comes() -> None:
    state, _ = started(CallKind.GROUP, (B, C), reachable=frozenset({B}))
    state, effects = handle(state, into.Came(C, "c1"), 500)
    assert out.Join(C, None) in effects
    assert state.party(C) is not None
    assert {p.user for p in state.present()} == {A, B, C}


def test_a_broadcast_ends_with_its_initiators_burst_and_not_with_anothers() -> None:
    state, _ = started(CallKind.BROADCAST, (B, C))
    state, _ = handle(state, into.BurstBegan(BURST), 1)
    assert handle(state, into.BurstEnded(B, BURST), 2)[0].phase is Phase.RUNNING
    assert handle(state, into.BurstEnded(A, BURST), 2)[0].end is CallEnd.BROADCAST_OVER


def test_a_call_ends_by_inactivity_but_not_while_somebody_talks() -> None:
    state, _ = started(CallKind.GROUP, (B,))
    state, _ = handle(state, into.BurstBegan(BURST), 1_000)
    assert handle(state, into.Tick(), 100_000)[0].phase is Phase.RUNNING
    state, _ = handle(state, into.BurstEnded(A, BURST), 100_000)
    assert handle(state, into.Tick(), 130_000)[0].end is CallEnd.INACTIVITY


def test_a_burst_that_goes_on_from_another_connection_ends_neither_quiet_nor_broadcast() -> None:
    for kind in (CallKind.GROUP, CallKind.BROADCAST):
        state, _ = started(kind, (B,))
        for step in (into.BurstBegan(BURST), into.BurstBegan(MOVED), into.BurstEnded(A, BURST)):
            state, _ = handle(state, step, 1_000)
        assert handle(state, into.Tick(), 100_000)[0].phase is Phase.RUNNING
        assert handle(state, into.BurstEnded(A, MOVED), 100_000)[0].on_air == ()


def test_who_leads_a_call_anew_says_what_is_on_air_and_what_was_missed_keeps_it_no_longer() -> None:
    state, _ = started(CallKind.GROUP, (B,))
    state, _ = handle(state, into.BurstBegan(BURST), 1_000)
    still, _ = handle(state, into.OnAir((BURST,)), 2_000)
    assert handle(still, into.Tick(), 100_000)[0].phase is Phase.RUNNING
    still, _ = handle(still, into.BurstEnded(A, BURST), 100_000)
    assert deadline(still) == 130_000
    missed, _ = handle(state, into.OnAir(()), 2_000)
    assert handle(missed, into.Tick(), 32_000)[0].end is CallEnd.INACTIVITY
    unheard, _ = handle(started(CallKind.GROUP, (B,))[0], into.OnAir((NEXT,)), 2_000)
    assert handle(unheard, into.Tick(), 100_000)[0].phase is Phase.RUNNING
    state, _ = handle(started(CallKind.BROADCAST, (B,))[0], into.BurstBegan(BURST), 1_000)
    assert handle(state, into.OnAir(()), 2_000)[0].end is CallEnd.BROADCAST_OVER


def test_the_maximum_length_stands_still_during_an_emergency() -> None:
    state, _ = started(CallKind.GROUP, (B,), CallOptions(hang_ms=None, maximum_ms=10_000))
    state, _ = handle(state, into.TierChanged(Tier.EMERGENCY), 4_000)
    assert handle(state, into.Tick(), 1_000_000)[0].phase is Phase.RUNNING
    state, _ = handle(state, into.TierChanged(Tier.NORMAL), 1_000_000)
    assert handle(state, into.Tick(), 1_005_999)[0].phase is Phase.RUNNING
    assert handle(state, into.Tick(), 1_006_000)[0].end is CallEnd.MAXIMUM_LENGTH


def test_remote_listening_ends_at_its_longest_though_the_voice_is_always_on_air() -> None:
    state, _ = started(CallKind.AMBIENT, (B,), CallOptions(hang_ms=None, maximum_ms=10_000))
    assert state.phase is Phase.RUNNING
    state, _ = handle(state, into.BurstBegan(BURST), 1)
    assert handle(state, into.Tick(), 9_999)[0].phase is Phase.RUNNING
    assert handle(state, into.Tick(), 10_000)[0].end is CallEnd.MAXIMUM_LENGTH


def test_only_the_initiator_or_one_who_may_ends_a_call() -> None:
    state, _ = started(CallKind.GROUP, (B, C))
    assert handle(state, into.End(False, B, "b1", "x"), 1)[1] == (out.Refused("b1", "x", Refusal.NOT_ALLOWED),)
    assert handle(state, into.End(True, D, "d1", "x"), 1)[0].end is CallEnd.FORCED


users = st.sampled_from([A, B, C, D])
anything = st.one_of(
    st.builds(into.Accept, users, st.sampled_from(["1", "2"]), st.just("r")),
    st.builds(into.Refuse, users, st.sampled_from(["1", "2"]), st.just("r")),
    st.builds(into.Came, users, st.just("1")),
    st.builds(into.Leave, users, st.just("1"), st.none() | st.just("r")),
    st.builds(into.Gone, users, st.sampled_from(["1", "2"]), st.booleans()),
    st.builds(into.Add, st.tuples(users), st.frozensets(users)),
    st.just(into.BurstBegan(BURST)),
    st.builds(into.BurstEnded, users, st.sampled_from([BURST, NEXT])),
    st.builds(into.OnAir, st.sampled_from([(), (BURST,), (BURST, NEXT)])),
    st.builds(into.TierChanged, st.sampled_from(list(Tier))),
    st.just(into.Tick()),
)
options = st.builds(
    CallOptions,
    answering=st.sampled_from(list(Answering)),
    ring_ms=st.integers(1, 1_000),
    hang_ms=st.none() | st.integers(1, 1_000),
    maximum_ms=st.integers(1, 5_000),
    least=st.integers(1, 3),
)


@given(
    st.sampled_from(list(CallKind)),
    options,
    st.frozensets(users),
    st.lists(st.tuples(anything, st.integers(0, 700)), max_size=30),
)
def test_whatever_happens_a_call_is_consistent_and_ends_once(
    kind: CallKind, chosen: CallOptions, reachable: frozenset[UserId], steps: list[tuple[into.CallInput, int]]
) -> None:
    state, effects = started(kind, (B, C), chosen, reachable)
    ends = [e for e in effects if isinstance(e, out.Ended)]
    now = 0
    for given_input, later in steps:
        now += later
        state, effects = handle(state, given_input, now)
        ends += [e for e in effects if isinstance(e, out.Ended)]
        assert CallState.from_json(state.to_json()) == state
        assert len({p.user for p in state.parties}) == len(state.parties)
        if kind is CallKind.FIRST_TO_ANSWER and chosen.answering is Answering.MANUAL and state.phase is Phase.RUNNING:
            assert not state.pending() or any(isinstance(s, into.Add) for s, _ in steps)
        due = deadline(state)
        assert due is None or due > now
    assert len(ends) == (state.phase is Phase.ENDED)
    # Left alone, a call that has a limit ends.
    quiet = replace(state, on_air=())
    for _ in range(5):
        due = deadline(quiet)
        if due is not None:
            quiet, _ = handle(quiet, into.Tick(), due)
    assert quiet.phase is Phase.ENDED or quiet.tier is not Tier.NORMAL or quiet.on_air


def test_a_standing_group_of_five_thousand_is_called_in_one_step_and_of_one_not_at_all() -> None:
    members = tuple(UserId(f"m{n}") for n in range(5_000))
    there = frozenset(members[:4_000])
    state, effects = started(CallKind.PREARRANGED, members, reachable=there)
    assert state.phase is Phase.RUNNING
    assert (len(state.parties), len(state.present())) == (5_001, 4_001)
    assert sum(isinstance(effect, out.Join) for effect in effects) == 4_001
    state, effects = handle(state, into.Came(members[4_500], "late"), 1)
    assert out.Join(members[4_500], None) in effects
    _, effects = started(CallKind.PREARRANGED, (A,))
    assert effects == (out.Refused("a1", "r", Refusal.NOBODY_CALLED),)
    assert started(CallKind.PREARRANGED, ())[0].phase is Phase.ENDED


def test_those_who_are_there_called_first_and_the_others_after_are_in_one_call_as_if_called_together() -> None:
    members = tuple(UserId(f"m{n}") for n in range(9))
    there = frozenset(members[:4])
    together, _ = started(CallKind.PREARRANGED, members, reachable=there)
    state, _ = started(CallKind.PREARRANGED, members[:5], reachable=there)
    state, effects = handle(state, into.Add(members[5:], there), 0)
    assert not [effect for effect in effects if isinstance(effect, out.Join | out.Ended)]
    assert state == together


def test_with_fewer_than_its_least_a_prearranged_call_does_not_begin_and_does_not_go_on() -> None:
    three = CallOptions(least=3)
    state, _ = started(CallKind.PREARRANGED, (B, C), three, reachable=frozenset({B}))
    assert state.end is CallEnd.TOO_FEW, "B is there: nobody is told that none is"
    state, _ = started(CallKind.PREARRANGED, (B, C), three, reachable=frozenset())
    assert state.end is CallEnd.UNREACHABLE
    state, _ = started(CallKind.PREARRANGED, (B, C), three)
    assert state.phase is Phase.RUNNING
    state, effects = handle(state, into.Leave(B, "b1"), 1_000)
    assert effects[-1] == out.Ended(CallEnd.TOO_FEW)


def test_one_who_says_he_would_not_hear_is_not_joined_but_may_be_rung() -> None:
    deaf = frozenset({B})
    automatic = into.Start(CallKind.PRIVATE, A, "a1", (B,), frozenset({B}), request="r", deaf=deaf)
    assert handle(NEW, automatic, 0)[0].end is CallEnd.NOT_LISTENING
    rings = into.Start(CallKind.PRIVATE, A, "a1", (B,), frozenset({B}), options=RINGING, request="r", deaf=deaf)
    assert out.Ring(B) in handle(NEW, rings, 0)[1]


def test_a_clock_that_jumps_ends_no_call_early_and_keeps_none_for_ever() -> None:
    hour = 3_600_000
    state, _ = handle(NEW, into.Start(CallKind.PRIVATE, A, "a1", (B,), frozenset({B}), request="r"), 10 * hour)
    state, _ = handle(state, into.Tick(), 9 * hour)
    assert deadline(state) == 9 * hour + 30_000, "set back with the clock"
    assert handle(state, into.Tick(), 9 * hour - 1_000)[0] == state, "nodes read it apart"
    state, effects = handle(state, into.Tick(), 9 * hour + 30_000)
    assert effects == (out.Ended(CallEnd.INACTIVITY),)
    for options, ms in ((RINGING, 30_000), (CallOptions(hang_ms=None, maximum_ms=10_000), 10_000)):
        asked = into.Start(CallKind.PRIVATE, A, "a1", (B,), frozenset({B}), options=options, request="r")
        state, _ = handle(NEW, asked, 10 * hour)
        state, _ = handle(state, into.Tick(), 9 * hour)
        assert deadline(state) == 9 * hour + ms
    state, _ = handle(NEW, into.Start(CallKind.PRIVATE, A, "a1", (B,), frozenset({B}), request="r"), hour)
    state, effects = handle(state, into.BurstBegan(BURST), 20 * hour)
    assert state.phase is Phase.ENDED, "what was due meanwhile is done first"
