"""A floor while one input is being handled: the state opened up, with the effects collected so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar, overload

from groups.floor import precedence
from groups.floor import queue as queues
from groups.floor.effects import FloorEffect, Queued
from groups.floor.inputs import FloorInput
from groups.floor.options import FloorOptions
from groups.floor.precedence import Presses
from groups.floor.queue import FloorQueue, Waiting
from groups.floor.state import Burst, FloorState, Phase, RetryAfter
from groups.vocabulary import BurstEnd, BurstId, UserId

One = TypeVar("One")
Other = TypeVar("Other")


@dataclass(slots=True)
class Work:
    """Lives for one call of ``handle``.

    Attributes:
        input: what is being handled; None for a timer.
        subject: the user the trigger is about.
        about: the burst the trigger is about, while it is on air.
    """

    now: int
    options: FloorOptions
    bursts: list[Burst]
    queue: FloorQueue
    retry: tuple[RetryAfter, ...]
    last_burst: BurstId
    last_end: BurstEnd
    arrivals: int
    inactive_at: int | None
    input: FloorInput | None = None
    subject: UserId | None = None
    about: BurstId | None = None
    effects: list[FloorEffect] = field(default_factory=list)

    @classmethod
    def open(cls, state: FloorState, now: int) -> Work:
        """The state at ``now``, with the retry-after times that are over forgotten."""
        return cls(
            now=now,
            options=state.options,
            bursts=list(state.bursts),
            queue=state.queue,
            retry=tuple(entry for entry in state.retry if entry.until > now),
            last_burst=state.last_burst,
            last_end=state.last_end,
            arrivals=state.arrivals,
            inactive_at=state.inactive_at,
        )

    def close(self) -> FloorState:
        """The state that follows."""
        return FloorState(
            options=self.options,
            bursts=tuple(self.bursts),
            queue=self.queue,
            retry=self.retry,
            last_burst=self.last_burst,
            last_end=self.last_end,
            arrivals=self.arrivals,
            inactive_at=self.inactive_at,
            clock=self.now,
        )

    @property
    def phase(self) -> Phase:
        """State of the burst the trigger is about; of the floor when there is none."""
        burst = self.burst
        if burst is not None:
            return burst.phase
        if not self.bursts:
            return Phase.IDLE
        return Phase.PENDING_REVOKE if any(each.revoked is not None for each in self.bursts) else Phase.TAKEN

    @overload
    def asked(self, kind: type[One], /) -> One: ...
    @overload
    def asked(self, kind: type[One], other: type[Other], /) -> One | Other: ...
    def asked(self, *kinds: type[Any]) -> Any:
        """The input, which is one of ``kinds``. Raises TypeError when a row does what its trigger cannot: our bug."""
        if not isinstance(self.input, kinds):
            raise TypeError(f"this move needs another input than {type(self.input).__name__}")
        return self.input

    @property
    def talker(self) -> Burst:
        """The burst the trigger is about, which is on air. Raises TypeError when a row takes it for one: our bug."""
        if self.burst is None:
            raise TypeError("this move needs a burst")
        return self.burst

    @property
    def burst(self) -> Burst | None:
        """The burst the trigger is about, if it is on air."""
        return next((burst for burst in self.bursts if burst.burst == self.about), None)

    @property
    def others(self) -> list[Burst]:
        """The bursts on air that the trigger is not about."""
        return [burst for burst in self.bursts if burst.burst != self.about]

    @property
    def waiting(self) -> Waiting | None:
        """The waiting request of the user the trigger is about."""
        return None if self.subject is None else queues.find(self.queue, self.subject)

    def burst_of(self, user: UserId) -> Burst | None:
        """What ``user`` has on air."""
        return next((burst for burst in self.bursts if burst.user == user), None)

    def retry_after(self, user: UserId) -> int:
        """How many ms of T9 ``user`` has before him."""
        return next((entry.until - self.now for entry in self.retry if entry.user == user), 0)

    def change(self, burst: Burst, **changes: Any) -> Burst:
        """Put a changed copy of ``burst`` in its place."""
        changed = replace(burst, **changes)
        self.bursts[self.bursts.index(burst)] = changed
        return changed

    def requeue(self, queue: FloorQueue, told: UserId | None = None) -> None:
        """Set the queue; everyone whose place changed hears of it, but for ``told``, who is told otherwise."""
        before = {entry.user: place for place, entry in enumerate(self.queue, 1)}
        self.queue = queue
        for place, entry in enumerate(queue, 1):
            if entry.user != told and before.get(entry.user) != place:
                self.effects.append(Queued(entry.user, entry.key, None, place, len(queue)))


def rivals(work: Work, who: Presses) -> list[Burst]:
    """Of those on air the ones in his way: all beside whom he does not come on air.

    When there is no room beside them, those of a lesser kind are.
    """
    found = [burst for burst in work.bursts if not precedence.beside(who, burst)]
    if found or precedence.comes_beside(who, work.bursts):
        return found
    return [burst for burst in work.bursts if not burst.dispatcher and precedence.kind(who) > precedence.kind(burst)]


def next_in_line(work: Work) -> Waiting | None:
    """Who goes on air when the burst at hand is gone: the head of the queue, or who comes on air beside the others.

    With dual floor a pre-emptor at the head comes beside one other, too.
    """
    others = work.others
    if not work.queue or not others:
        return next(iter(work.queue), None)
    head = work.queue[0]
    if work.options.dual_floor and head.front and len(others) == 1:
        return head
    return next((each for each in work.queue if precedence.comes_beside(each, others)), None)


def strongest(bursts: list[Burst]) -> Burst:
    """The burst a newcomer must outrank."""
    return max(bursts, key=lambda burst: (burst.tier, burst.priority))


def weakest(bursts: list[Burst]) -> Burst:
    """The burst that makes room."""
    return min(bursts, key=lambda burst: (burst.tier, burst.priority))
