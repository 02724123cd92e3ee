"""What becomes of a delivery: retried for days, in order, dead letters, 410, and a receiver that is down."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery.events import Event
from gateway.delivery.outbox import (
    DELAYS_MS,
    FAILURES_UNTIL_DOWN,
    GIVE_UP_MS,
    PROBE_CAP_MS,
    REFUSALS_UNTIL_DEAD,
    Delivery,
    Outcome,
    Status,
    replayed,
    settle,
)
from gateway.delivery.receiver import Health

FRESH = Delivery("cases", Event("e1", "photo", "C1", 1, 0), created=0, next_at=0)
WELL = Health("cases")
HOUR = 3_600_000


def failing(outcome: Outcome, times: int, jitter: float = 0.0) -> tuple[Delivery, Health, int]:
    """Fails so often, each time when it is due again; returns how it stands and when that was."""
    delivery, health, now = FRESH, WELL, 0
    for _ in range(times):
        now = max(now, delivery.next_at)
        delivery, health = settle(delivery, health, outcome, now, jitter)
    return delivery, health, now


def test_taken_is_delivered_and_the_receiver_is_well() -> None:
    sick = Health("cases", failures=9, failing_since=1, probe_at=2)
    delivery, health = settle(FRESH, sick, Outcome(True, 200), 5, 0)
    assert (delivery.status, delivery.attempts, health) == (Status.DELIVERED, 1, WELL)


def test_pauses_grow_and_the_last_repeats() -> None:
    for times in range(1, len(DELAYS_MS) + 3):
        delivery, _, now = failing(Outcome(False, 500), times)
        assert delivery.next_at - now == DELAYS_MS[min(times, len(DELAYS_MS)) - 1]


@given(st.floats(0, 1, exclude_max=True))
def test_jitter_lengthens_by_at_most_a_fifth(jitter: float) -> None:
    delivery, _, now = failing(Outcome(False, 500), 4, jitter)
    assert DELAYS_MS[3] <= delivery.next_at - now <= DELAYS_MS[3] * 1.2


def test_it_is_retried_for_days_and_then_dead_and_can_be_replayed() -> None:
    old = replace(FRESH, next_at=GIVE_UP_MS - 1)
    alive, _ = settle(old, WELL, Outcome(False, 503), GIVE_UP_MS - 1, 0)
    assert alive.status is Status.WAITING
    dead, _ = settle(old, WELL, Outcome(False, 503, "HTTP 503"), GIVE_UP_MS, 0)
    assert (dead.status, dead.last_error) == (Status.DEAD, "HTTP 503")
    again = replayed(dead, GIVE_UP_MS + HOUR)
    assert (again.status, again.next_at, again.event) == (Status.WAITING, GIVE_UP_MS + HOUR, FRESH.event)
    assert settle(again, WELL, Outcome(False, 503), GIVE_UP_MS + 2 * HOUR, 0)[0].status is Status.WAITING


@pytest.mark.parametrize("status", [400, 413, 415, 422])
def test_one_event_refused_for_good_dies_and_the_receiver_stays_well(status: int) -> None:
    delivery, health, _ = failing(Outcome(False, status), REFUSALS_UNTIL_DEAD - 1)
    assert delivery.status is Status.WAITING
    delivery, health, _ = failing(Outcome(False, status), REFUSALS_UNTIL_DEAD)
    assert (delivery.status, health) == (Status.DEAD, WELL)


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_what_an_operator_can_put_right_never_dies_early(status: int) -> None:
    assert failing(Outcome(False, status), 50)[0].status is Status.WAITING


def test_gone_stops_the_receiver_and_loses_nothing() -> None:
    delivery, health = settle(FRESH, WELL, Outcome(False, 410), 7, 0)
    assert (delivery.status, health.stopped) == (Status.WAITING, True)


def test_unreachable_is_down_at_once_and_errors_only_after_some() -> None:
    _, health, now = failing(Outcome(False, None, "refused"), 1)
    assert (health.probe_at, health.failing_since) == (now + DELAYS_MS[0], 0)
    assert failing(Outcome(False, 500), FAILURES_UNTIL_DOWN - 1)[1].probe_at is None
    assert failing(Outcome(False, 500), FAILURES_UNTIL_DOWN)[1].probe_at is not None


def test_a_receiver_that_is_down_is_probed_no_rarer_than_the_cap() -> None:
    _, health, now = failing(Outcome(False, None), 30)
    assert health.probe_at == now + PROBE_CAP_MS


def test_retry_after_is_heeded_within_reason() -> None:
    polite, _, _ = failing(Outcome(False, 429, retry_after_ms=60_000), 1)
    assert polite.next_at == 60_000
    greedy, _, _ = failing(Outcome(False, 503, retry_after_ms=10**12), 1)
    assert greedy.next_at == DELAYS_MS[-1]


def test_a_recording_not_ready_only_waits() -> None:
    delivery, health = settle(FRESH, WELL, Outcome(False, error="not ready", postponed=True), 10, 0)
    assert (delivery.next_at, delivery.attempts, health) == (10 + DELAYS_MS[0], 0, WELL)


def test_a_recording_that_is_never_ready_holds_up_what_follows_for_days_and_not_for_ever() -> None:
    never = Outcome(False, error="not ready", postponed=True)
    assert settle(FRESH, WELL, never, GIVE_UP_MS - 1, 0)[0].status is Status.WAITING
    dead, health = settle(FRESH, WELL, never, GIVE_UP_MS, 0)
    assert (dead.status, dead.last_error, health) == (Status.DEAD, "not ready", WELL)
