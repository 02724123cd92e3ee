"""What the scenarios do not spell out: ids, times, keys, JSON, clocks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from groups.floor import effects, inputs
from groups.floor.machine import CLOCK_SLACK_MS, deadline, handle
from groups.floor.options import FloorOptions
from groups.floor.state import FloorState, Phase
from groups.vocabulary import BurstEnd, BurstId, DenyCause, Refusal, RevokeCause, Tier, UserId
from tests.groups.floor_stage import START, Stage

ANNA, BORIS, DESK = UserId("anna"), UserId("boris"), UserId("desk")


def request(user: UserId, **more: object) -> inputs.Request:
    return inputs.Request(user, f"{user}-key", 3, **more)  # type: ignore[arg-type]


def test_effects_carry_what_the_node_needs() -> None:
    state, done = handle(FloorState(), request(ANNA, request="r1", priority=7), START)
    number = BurstId(START)
    assert done == (
        effects.Granted(ANNA, "anna-key", "r1", number, 30_000, from_queue=False),
        effects.BurstBegan(number, ANNA, "anna-key", Tier.NORMAL, 7, START, overriding=False),
        effects.Taken(number, ANNA, Tier.NORMAL, may_request=True),
    )
    state, done = handle(state, request(BORIS, request="r2"), START + 1)
    assert done == (effects.Queued(BORIS, "boris-key", "r2", 1, 1),)
    state, done = handle(state, inputs.QueuePositionRequest(BORIS, "boris-desk", "r3"), START + 2)
    assert done == (effects.Queued(BORIS, "boris-desk", "r3", 1, 1),)
    state, done = handle(state, inputs.RevokeRequest(DESK, "desk-key", "r4"), START + 3)
    assert done == (
        effects.Acknowledged(DESK, "desk-key", "r4"),
        effects.Revoked(ANNA, "anna-key", number, RevokeCause.ON_REQUEST, 1_000),
    )
    state, done = handle(state, inputs.Release(ANNA, "anna-key", "r5", number), START + 4)
    assert done == (
        effects.Acknowledged(ANNA, "anna-key", "r5"),
        effects.BurstEnded(number, ANNA, "anna-key", BurstEnd.REVOKED, START + 4),
        effects.Granted(BORIS, "boris-key", None, BurstId(START + 4), 30_000, from_queue=True),
        effects.BurstBegan(BurstId(START + 4), BORIS, "boris-key", Tier.NORMAL, 100, START + 4, overriding=False),
        effects.Taken(BurstId(START + 4), BORIS, Tier.NORMAL, may_request=True),
    )
    state, done = handle(state, inputs.Release(BORIS, "boris-key"), START + 5)
    assert done[-1] == effects.Idle(BurstId(START + 4), BurstEnd.RELEASED)
    _, done = handle(state, inputs.QueuePositionRequest(BORIS, "boris-key", "r6"), START + 6)
    assert done == (effects.Refused(BORIS, "boris-key", "r6", Refusal.NOT_FOUND),)


def test_the_burst_id_grows_within_one_millisecond_and_when_the_clock_falls_back() -> None:
    state, numbers = FloorState(), []
    for now in (START, START, START - 60_000, START + 10):
        state, _ = handle(state, request(ANNA), now)
        numbers.append(state.last_burst)
        state, _ = handle(state, inputs.Release(ANNA, "anna-key"), now)
    assert numbers == [START, START + 1, START + 2, START + 10]


def test_a_lost_state_still_gives_a_greater_burst_id() -> None:
    state, _ = handle(FloorState(), request(ANNA), START)
    anew, _ = handle(FloorState(), request(ANNA), START + 5_000)
    assert anew.last_burst > state.last_burst


def test_a_clock_set_back_takes_the_timers_with_it() -> None:
    state, _ = handle(FloorState(), request(ANNA), START)
    assert deadline(state) == START + 4_000
    state, done = handle(state, inputs.Tick(), START - 3_600_000)
    assert done == ()
    assert deadline(state) == START - 3_600_000 + 4_000


RUNNING: dict[str, tuple[Callable[[Stage], object], int, str]] = {
    "T1": (lambda stage: stage.press("anna"), 4_000, "ended anna media_lost"),
    "T2": (lambda stage: stage.talk("anna"), 30_000, "anna revoked 2 grace 1000"),
    "T3": (lambda stage: [stage.talk("anna"), stage.revoke()], 1_000, "ended anna revoked"),
    "T4": (lambda stage: [stage.talk("anna"), stage.release("anna")], 30_000, "inactive"),
    "T132": (
        lambda stage: [stage.talk("anna"), stage.press("boris"), stage.release("anna")],
        2_000,
        "boris revoked 255 grace 0",
    ),
}


@pytest.mark.parametrize("timer", RUNNING)
def test_a_clock_set_back_an_hour_makes_no_timer_an_hour_longer(timer: str) -> None:
    begin, ms, told = RUNNING[timer]
    stage = Stage()
    begin(stage)
    stage.now -= 3_600_000
    stage.feed(inputs.Tick())
    assert stage.after(ms - 1) == []
    assert stage.after(1)[0] == told


def test_a_clock_set_back_an_hour_denies_nobody_for_an_hour() -> None:
    stage = Stage()
    stage.talk("anna")
    stage.after(31_000)
    stage.now -= 3_600_000
    assert stage.press("anna") == ["anna denied 4 for 3000"]


def test_a_node_whose_clock_is_a_little_behind_changes_nothing() -> None:
    state, _ = handle(FloorState(), request(ANNA), START)
    behind, done = handle(state, inputs.Tick(), START - CLOCK_SLACK_MS)
    assert (behind, done) == (state, ())
    set_back, _ = handle(state, inputs.Tick(), START - CLOCK_SLACK_MS - 1)
    assert set_back.clock == START - CLOCK_SLACK_MS - 1


def test_nothing_runs_in_a_floor_that_was_never_used() -> None:
    assert deadline(FloorState()) is None
    assert FloorState().phase is Phase.IDLE


def test_inactivity_can_be_switched_off() -> None:
    stage = Stage(inactivity_ms=0)
    stage.talk("anna")
    stage.release("anna")
    assert deadline(stage.state) is None


def test_t9_can_be_switched_off() -> None:
    stage = Stage(retry_after_ms=0)
    stage.talk("anna")
    stage.after(31_000)
    assert stage.press("anna")[0] == "anna granted 30000"


def test_media_times_outside_the_burst_are_bent_into_it() -> None:
    state, _ = handle(FloorState(), request(ANNA), START)
    number = state.last_burst
    early, _ = handle(state, inputs.MediaStarted(ANNA, number, START - 150), START + 40)
    assert deadline(early) == START + 30_000
    late, _ = handle(state, inputs.MediaStarted(ANNA, number, START + 9_000), START + 40)
    assert deadline(late) == START + 40 + 30_000
    stopped, _ = handle(early, inputs.MediaStopped(ANNA, number, START + 9_000), START + 100)
    assert deadline(stopped) == START + 100 + 4_000


def test_timers_that_are_long_overdue_fire_in_the_order_they_were_due() -> None:
    stage = Stage()
    stage.press("anna")
    stage.press("boris")
    stage.press("clara")
    stage.now += 60_000
    log = stage.feed(inputs.Tick())
    assert log[:2] == ["ended anna media_lost", "boris granted 30000 from queue"]
    assert stage.on_air == ["boris"]


def test_a_press_at_the_very_moment_the_floor_falls_free_is_granted() -> None:
    stage = Stage()
    stage.press("anna")
    stage.now += 4_000
    assert stage.press("boris")[:3] == ["ended anna media_lost", "idle after media_lost", "boris granted 30000"]


def test_one_in_many_presses_at_once_is_granted_and_the_places_are_unique() -> None:
    stage = Stage(queue_limit=30)
    for number in range(20):
        stage.press(f"user{number}", participants=20, priority=number % 3)
    assert stage.on_air == ["user0"]
    assert [entry.priority for entry in stage.state.queue] == sorted((n % 3 for n in range(1, 20)), reverse=True)
    arrivals = [(-entry.priority, entry.arrived) for entry in stage.state.queue]
    assert arrivals == sorted(arrivals)


def test_json_refuses_what_it_did_not_write() -> None:
    text = FloorState().to_json()
    with pytest.raises(ValueError, match="schema"):
        FloorState.from_json(text.replace('"schema":1', '"schema":2'))
    with pytest.raises((ValueError, KeyError, TypeError)):
        FloorState.from_json("{}")


def test_json_of_a_state_with_everything_in_it() -> None:
    stage = Stage(dual_floor=True, queue_limit=9)
    stage.talk("anna")
    stage.after(31_000)
    stage.talk("boris")
    stage.sos("clara")
    stage.press("dora")
    stage.revoke("boris")
    again = FloorState.from_json(stage.state.to_json().encode())
    assert again == stage.state
    assert (len(again.retry), len(again.queue), len(again.bursts)) == (1, 1, 2)
    assert type(again.bursts[0].tier) is Tier
    assert type(again.bursts[0].revoked) is RevokeCause


def test_a_hindrance_is_told_as_it_is() -> None:
    _, done = handle(FloorState(), request(ANNA, request="x", hindrance=DenyCause.NO_RESOURCES), START)
    assert done == (effects.Denied(ANNA, "anna-key", "x", DenyCause.NO_RESOURCES),)


def test_the_queue_limit_and_one_beyond() -> None:
    limit = FloorOptions().queue_limit
    stage = Stage()
    stage.talk("anna")
    for number in range(limit):
        assert stage.press(f"user{number}") == [f"user{number} queued {number + 1}/{number + 1}"]
    assert stage.press("late") == ["late denied 7"]
