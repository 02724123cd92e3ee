"""The outbox's rules: what becomes of a delivery after an attempt, and of the receiver it was for.

Within one incident deliveries go in order: only the first that waits is tried. A receiver that cannot be reached is
probed by one delivery at a time, so that ten thousand waiting incidents do not hammer it. An event that is refused for
good goes to the dead letters, as does one whose days are over; both are kept, seen and replayed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.delivery.events import Event
from gateway.delivery.receiver import Health

DELAYS_MS = (2_000, 10_000, 30_000, 120_000, 600_000, 1_800_000, 3_600_000)
"""After which attempt follows how long a pause; the last one repeats."""
GIVE_UP_MS = 7 * 86_400_000
"""An event older than this goes to the dead letters at its next failure."""
REFUSALS_UNTIL_DEAD = 5
"""How often a receiver may refuse one event for good (400, 413, 414, 415, 422) before it is believed."""
FAILURES_UNTIL_DOWN = 3
"""Failures in a row, whatever the event, after which the receiver counts as down. Unreachable: at once."""
PROBE_CAP_MS = 300_000
"""Longest pause between two probes of a receiver that is down."""
_REFUSED_FOR_GOOD = frozenset({400, 413, 414, 415, 422})
_GONE = 410


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator may set. Times in ms."""

    delays: tuple[int, ...] = DELAYS_MS
    give_up: int = GIVE_UP_MS
    refusals_until_dead: int = REFUSALS_UNTIL_DEAD
    failures_until_down: int = FAILURES_UNTIL_DOWN
    probe_cap: int = PROBE_CAP_MS


DEFAULT = Policy()


class Status(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one receiver: known by receiver, agency, incident and sequence."""

    receiver: str
    event: Event
    created: int
    next_at: int
    attempts: int = 0
    refusals: int = 0
    status: Status = Status.WAITING
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: an HTTP status, or None when there was no answer. ``error`` is for the operator's eyes.

    ``postponed``: nothing was sent, since what belongs to the event is not ready yet.
    """

    taken: bool
    status: int | None = None
    error: str = ""
    retry_after_ms: int | None = None
    postponed: bool = False


def settle(
    delivery: Delivery, health: Health, outcome: Outcome, now: int, jitter: float, policy: Policy = DEFAULT
) -> tuple[Delivery, Health]:
    """Delivery and receiver after an attempt at ``now``. ``jitter`` from [0, 1) lengthens a pause by up to a fifth."""
    if outcome.taken:
        done = replace(delivery, status=Status.DELIVERED, attempts=delivery.attempts + 1, last_error="")
        return done, Health(health.receiver)
    if outcome.postponed and now - delivery.created >= policy.give_up:
        return replace(delivery, status=Status.DEAD, last_error=outcome.error), health
    if outcome.postponed:
        return replace(delivery, next_at=now + policy.delays[0], last_error=outcome.error), health
    refused = outcome.status in _REFUSED_FOR_GOOD
    after = replace(
        delivery,
        attempts=delivery.attempts + 1,
        refusals=delivery.refusals + refused,
        last_error=outcome.error or f"HTTP {outcome.status}",
    )
    if outcome.status == _GONE:
        return after, replace(health, stopped=True, failing_since=health.failing_since or now)
    if after.refusals >= policy.refusals_until_dead or now - delivery.created >= policy.give_up:
        after = replace(after, status=Status.DEAD)
    else:
        after = replace(after, next_at=now + _pause(after.attempts, outcome, jitter, policy))
    return after, Health(health.receiver) if refused else _failed(health, outcome, now, jitter, policy)


def replayed(delivery: Delivery, now: int) -> Delivery:
    """A dead letter put back: due at once, with its days before it again."""
    return replace(delivery, status=Status.WAITING, next_at=now, created=now, attempts=0, refusals=0)


def _pause(attempts: int, outcome: Outcome, jitter: float, policy: Policy) -> int:
    planned = policy.delays[min(attempts, len(policy.delays)) - 1]
    asked = min(outcome.retry_after_ms or 0, policy.delays[-1])
    return max(asked, planned + int(planned * jitter / 5))


def _failed(health: Health, outcome: Outcome, now: int, jitter: float, policy: Policy) -> Health:
    failures = health.failures + 1
    down = outcome.status is None or failures >= policy.failures_until_down
    pause = min(_pause(failures, outcome, jitter, policy), max(policy.probe_cap, outcome.retry_after_ms or 0))
    return replace(
        health,
        failures=failures,
        failing_since=health.failing_since if health.failing_since is not None else now,
        probe_at=now + pause if down else None,
    )
