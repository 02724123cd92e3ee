"""The floor of one in SOS, pair by pair: over whom he talks at once, beside whom, and that none silences him."""

from __future__ import annotations

import pytest

from groups.floor import effects, inputs
from groups.floor.machine import handle
from groups.floor.options import FloorOptions
from groups.floor.state import FloorState
from groups.vocabulary import Tier, UserId

PLAIN, CUT_IN, DUAL = FloorOptions(), FloorOptions(audio_cut_in=True), FloorOptions(dual_floor=True)
KINDS = {
    "normal": {"priority": 100},
    "dispatcher": {"priority": 200, "may_preempt": True},
    "peril": {"tier": Tier.IMMINENT_PERIL},
    "leader": {"tier": Tier.EMERGENCY, "priority": 240, "may_preempt": True},
    "sos": {"tier": Tier.EMERGENCY, "priority": inputs.SOS_PRIORITY, "sos": True},
}
ALONE_AFTER = {
    # who asks last: who may be on air beside him, by who was there first
    ("normal", "sos"): {"sos"},
    ("dispatcher", "sos"): {"sos"},
    ("peril", "sos"): {"sos"},
    ("leader", "sos"): {"leader", "sos"},
    ("sos", "normal"): {"sos"},
    ("sos", "dispatcher"): {"sos"},
    ("sos", "peril"): {"sos"},
    ("sos", "leader"): {"leader", "sos"},
    ("normal", "leader"): {"leader"},
    ("leader", "normal"): {"leader"},
    ("leader", "peril"): {"leader"},
}


def ask(state: FloorState, who: str, kind: str, now: int) -> tuple[FloorState, tuple[effects.FloorEffect, ...]]:
    return handle(state, inputs.Request(UserId(who), who, participants=5, request=who, **KINDS[kind]), now)


@pytest.mark.parametrize("options", [PLAIN, CUT_IN], ids=["plain", "cut-in"])
@pytest.mark.parametrize(("first", "second"), ALONE_AFTER)
def test_each_pair(first: str, second: str, options: FloorOptions) -> None:
    state, _ = ask(FloorState(options), first, first, 10)
    state, done = ask(state, second, second, 20)
    on_air = {burst.user for burst in state.bursts if burst.revoked is None}
    assert on_air == ALONE_AFTER[first, second]
    revoked = [each for each in done if isinstance(each, effects.Revoked)]
    assert all(each.grace_ms == 0 for each in revoked), "nobody has a grace over an emergency"


def test_two_in_sos_are_both_heard_and_a_third_waits() -> None:
    state, _ = ask(FloorState(PLAIN), "one", "sos", 10)
    state, _ = ask(state, "two", "sos", 20)
    state, done = ask(state, "three", "sos", 30)
    assert [burst.user for burst in state.bursts] == ["one", "two"]
    assert isinstance(done[-1], effects.Queued)


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
