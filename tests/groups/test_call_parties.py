"""Who is called, rung for, spared and left in a call, and what each kind of call does when one of them goes."""

from __future__ import annotations

from dataclasses import replace

from groups.calls import effects as out
from groups.calls import inputs as into
from groups.calls.machine import deadline, handle
from groups.calls.state import CallEnd, CallKind, CallOptions, Part, Party, Phase
from groups.vocabulary import Tier
from tests.groups.call_stage import BURST, NEW, RINGING, A, B, C, D, started


def stopped(effects: tuple[out.CallEffect, ...]) -> list[out.StopRinging]:
    return [effect for effect in effects if isinstance(effect, out.StopRinging)]


def test_no_phone_rings_on_however_its_ringing_ends() -> None:
    state, _ = started(CallKind.PREARRANGED, (B, C), RINGING)
    assert stopped(handle(state, into.Accept(B, "b1", "x"), 1)[1]) == [out.StopRinging(B, Part.JOINED, "b1")]
    assert stopped(handle(state, into.Refuse(B, "b1", "x"), 1)[1]) == [out.StopRinging(B, Part.REFUSED, "b1")]
    unanswered = [out.StopRinging(user, Part.NO_ANSWER, None) for user in (B, C)]
    assert stopped(handle(state, into.Tick(), 30_000)[1]) == unanswered
    given_up = [out.StopRinging(user, Part.NOT_NEEDED, None) for user in (B, C)]
    for end in (into.Leave(A, "a1", "x"), into.End(False, A, "a1", "x"), into.End(True, D, "d1", "x")):
        assert stopped(handle(state, end, 1)[1]) == given_up, end


def test_busy_and_deaf_stand_in_the_way_of_a_call_of_two_only() -> None:
    for kind in (CallKind.GROUP, CallKind.PREARRANGED, CallKind.BROADCAST):
        both = frozenset({B, C})
        state, _ = handle(NEW, into.Start(kind, A, "a1", (B, C), both, busy=both, request="r", deaf=both), 0)
        assert {party.user for party in state.present()} == {A, B, C}


def test_who_hung_up_or_did_not_answer_is_not_called_again_because_his_phone_comes_back() -> None:
    state, _ = started(CallKind.PREARRANGED, (B, C, D), RINGING)
    for step in (into.Accept(B, "b1", "x"), into.Accept(C, "c1", "x"), into.Leave(C, "c1", "x"), into.Tick()):
        state, _ = handle(state, step, 30_000 if isinstance(step, into.Tick) else 1)
    for user, part in ((C, Part.LEFT), (D, Part.NO_ANSWER)):
        assert state.party(user) == Party(user, part)
        assert handle(state, into.Came(user, "new"), 30_000)[1] == ()


def test_who_is_pulled_in_though_he_is_there_stays_on_the_phone_he_answered_on() -> None:
    state, _ = started(CallKind.PREARRANGED, (B, C), RINGING)
    state, _ = handle(state, into.Accept(B, "tablet", "x"), 1)
    again, effects = handle(state, into.Add((B, C, B), frozenset({B, C})), 2)
    assert (again, effects) == (replace(state, clock=2), ())


def test_the_initiator_who_goes_ends_a_broadcast_and_no_other_call_of_many() -> None:
    for kind, end in ((CallKind.BROADCAST, CallEnd.BROADCAST_OVER), (CallKind.GROUP, None)):
        state, _ = started(kind, (B, C))
        assert handle(state, into.Leave(A, "a1", "x"), 1)[0].end is end


def test_a_call_whose_last_but_one_goes_waits_for_whom_it_still_rings() -> None:
    state, _ = started(CallKind.PREARRANGED, (B, C), RINGING)
    for step in (into.Accept(B, "b1", "x"), into.Leave(B, "b1", "x")):
        state, _ = handle(state, step, 1)
    assert state.phase is Phase.RUNNING
    assert handle(state, into.Refuse(C, "c1", "x"), 2)[0].end is CallEnd.TOO_FEW


def test_who_is_called_in_after_all_have_answered_or_refused_rings_as_long_as_they_did() -> None:
    state, _ = started(CallKind.PREARRANGED, (B, C), RINGING)
    for step in (into.Accept(B, "b1"), into.Refuse(C, "c1"), into.BurstBegan(BURST), into.Add((D,), frozenset({D}))):
        state, _ = handle(state, step, 20_000)
    assert deadline(state) == 50_000


def test_a_temporary_group_begins_with_its_maker_alone() -> None:
    state, _ = started(CallKind.GROUP, (B, C), reachable=frozenset())
    assert state.phase is Phase.RUNNING
    assert {p.user for p in handle(state, into.Came(C, "c1"), 500)[0].present()} == {A, C}


def test_a_full_duplex_call_has_no_inactivity_though_nobody_presses() -> None:
    state, _ = started(options=CallOptions(duplex=True, hang_ms=30_000))
    assert deadline(state) == CallOptions().maximum_ms
    assert handle(state, into.Tick(), 3_599_999)[0].phase is Phase.RUNNING


def test_a_call_that_begins_as_an_emergency_has_no_longest_time_until_that_is_over() -> None:
    state, _ = started(CallKind.GROUP, (B,), CallOptions(hang_ms=None, maximum_ms=10_000), tier=Tier.EMERGENCY)
    assert deadline(state) is None
    state, _ = handle(state, into.TierChanged(Tier.NORMAL), 50_000)
    assert deadline(state) == 60_000


def test_its_initiator_hangs_a_running_call_up_and_takes_back_one_that_rings() -> None:
    for options, end in ((CallOptions(), CallEnd.HUNG_UP), (RINGING, CallEnd.CANCELLED)):
        state, _ = started(options=options)
        state, effects = handle(state, into.End(False, A, "a1", "x"), 1)
        assert (state.end, effects[0], effects[-1]) == (end, out.Done("a1", "x"), out.Ended(end))
