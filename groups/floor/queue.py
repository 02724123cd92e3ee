"""The floor queue: pre-emptors first, then tier, then priority, then arrival (TS 24.380 §4.1.1.2, §6.3.5.4.4)."""

from __future__ import annotations

from dataclasses import dataclass

from groups.floor.inputs import Request
from groups.vocabulary import Tier, UserId


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits. ``front``: a pre-emptor, who waits only for the talker's grace to end."""

    user: UserId
    key: str
    tier: Tier
    priority: int
    may_preempt: bool
    arrived: int
    front: bool = False
    sos: bool = False
    dispatcher: bool = False


def waiting(asked: Request, arrived: int, *, front: bool = False) -> Waiting:
    """A request as one that waits."""
    return Waiting(
        asked.user,
        asked.key,
        asked.tier,
        asked.priority,
        asked.may_preempt,
        arrived,
        front,
        asked.sos,
        asked.dispatcher,
    )


FloorQueue = tuple[Waiting, ...]


def put(queue: FloorQueue, entry: Waiting) -> FloorQueue:
    """The queue with ``entry`` in its place, and in place of an older request of the same user."""
    return tuple(sorted((*without(queue, entry.user), entry), key=_rank))


def without(queue: FloorQueue, user: UserId) -> FloorQueue:
    """The queue without the request of ``user``."""
    return tuple(entry for entry in queue if entry.user != user)


def find(queue: FloorQueue, user: UserId) -> Waiting | None:
    """The waiting request of ``user``."""
    return next((entry for entry in queue if entry.user == user), None)


def position(queue: FloorQueue, user: UserId) -> int:
    """Where ``user`` waits, 1 is next; 0 when he does not wait."""
    return next((place for place, entry in enumerate(queue, 1) if entry.user == user), 0)


def _rank(entry: Waiting) -> tuple[bool, int, int, int]:
    return (not entry.front, -entry.tier, -entry.priority, entry.arrived)
