"""What goes wrong, and when: the same for the same seed."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

CALM_S = 12.0
"""Between two faults, counted from the end of the first: long enough to be whole again, and to prove it."""


class Fault(StrEnum):
    KILL = "kill -9 a node"
    SLEEP = "a node sleeps (SIGSTOP)"
    REDIS_AWAY = "Redis is stopped"
    REDIS_FROZEN = "Redis is frozen (SIGSTOP)"
    REDIS_EMPTY = "Redis restarts empty"
    REDIS_FULL = "Redis is full (maxmemory)"


LASTS_S = {
    Fault.KILL: 0.0,
    Fault.SLEEP: 10.0,
    Fault.REDIS_AWAY: 30.0,
    Fault.REDIS_FROZEN: 10.0,
    Fault.REDIS_EMPTY: 0.0,
    Fault.REDIS_FULL: 10.0,
}


@dataclass(frozen=True, slots=True)
class Event:
    """``at`` and ``until`` in seconds of the run; ``node`` is the one it happens to."""

    fault: Fault
    at: float
    until: float
    node: int


def schedule(seed: int, nodes: int, short: bool) -> list[Event]:
    """Every fault once, in an order and at nodes that the seed says; ``short`` divides all times by three."""
    rng = random.Random(seed)
    faults = list(Fault)
    rng.shuffle(faults)
    scale = 3.0 if short else 1.0
    now, out = CALM_S / scale, []
    for fault in faults:
        until = now + LASTS_S[fault] / scale
        out.append(Event(fault, now, until, rng.randrange(nodes)))
        now = until + CALM_S / (2.0 if short else 1.0)
    return out


def length(events: list[Event]) -> float:
    """Seconds of the whole run."""
    return events[-1].until + CALM_S
