"""The condition of a group: normal, imminent peril or emergency, and who put it there (TS 24.379 §6.2.8, §6.3.3.1.16).

Emergency is kept twice: here for the group, and as a state of each user, which is what he *holds* in any group. The
condition of the group is the highest that is held. A leader's call ends by itself when nothing was said for TNG2; what
one in SOS holds stays until his alert is closed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Any

from groups.plain import known
from groups.vocabulary import GroupId, Refusal, Tier, UserId


@dataclass(frozen=True, slots=True)
class Holder:
    """One emergency in progress. ``cause``: the alert or call it belongs to; ``sos``: its user is in danger himself."""

    cause: str
    user: UserId
    tier: Tier
    sos: bool
    since: int


@dataclass(frozen=True, slots=True)
class Condition:
    """What is in progress in one group.

    Attributes:
        quiet_ms: TNG2: nothing said for so long, calls end by themselves; 0 is never.
        talking: who is on air now.
        quiet_at: when TNG2 is over; None while somebody talks or nothing would end.
    """

    group: GroupId
    quiet_ms: int = 120_000
    holders: tuple[Holder, ...] = ()
    talking: tuple[UserId, ...] = ()
    quiet_at: int | None = None

    @property
    def tier(self) -> Tier:
        """The condition of the group."""
        return max((holder.tier for holder in self.holders), default=Tier.NORMAL)

    @property
    def first(self) -> Holder | None:
        """Who put it there: the earliest of the highest."""
        return next((holder for holder in self.holders if holder.tier is self.tier), None)

    def holder(self, cause: str) -> Holder | None:
        """What belongs to one alert or call."""
        return next((holder for holder in self.holders if holder.cause == cause), None)

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Condition:
        """What `to_json` wrote. Raises ValueError, KeyError or TypeError on anything else."""
        plain: dict[str, Any] = json.loads(text)
        for each in plain["holders"]:
            each["tier"] = Tier(each["tier"])
        plain["holders"] = tuple(Holder(**known(Holder, each)) for each in plain["holders"])
        plain["talking"] = tuple(plain["talking"])
        return cls(**known(cls, plain))


@dataclass(frozen=True, slots=True)
class Declare:
    """An emergency begins, or goes on in another tier (upgrade, downgrade)."""

    cause: str
    user: UserId
    tier: Tier
    sos: bool = False


@dataclass(frozen=True, slots=True)
class Clear:
    """An emergency ends. ``force``: what it belongs to is closed already, nothing can refuse it."""

    cause: str
    user: UserId
    force: bool = False


@dataclass(frozen=True, slots=True)
class Talks:
    """Somebody has the floor."""

    user: UserId


@dataclass(frozen=True, slots=True)
class Quiet:
    """He has it no more."""

    user: UserId


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by."""


@dataclass(frozen=True, slots=True)
class TierIs:
    """The condition of the group is another now."""

    before: Tier
    tier: Tier


@dataclass(frozen=True, slots=True)
class UserTier:
    """The emergency state of a user is another now."""

    user: UserId
    tier: Tier
    sos: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """What belonged to ``cause`` is over; ``timed_out``: by itself."""

    cause: str
    timed_out: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """It cannot be done."""

    code: Refusal


ConditionInput = Declare | Clear | Talks | Quiet | Tick
ConditionEffect = TierIs | UserTier | Ended | Refused
Step = tuple[Condition, tuple[ConditionEffect, ...]]


def handle(state: Condition, given: ConditionInput, now: int) -> Step:
    """One step: the state that follows and what is to be told. What is due is over before the input is looked at."""
    after, over = _expire(state, now)
    after, done = _HANDLERS[type(given)](after, given, now)
    after, done = _timed(after, now), (*over, *done)
    if after.tier is not state.tier:
        done = (TierIs(state.tier, after.tier), *done)
    return after, done


def deadline(state: Condition) -> int | None:
    """When to feed `Tick`, ms."""
    return state.quiet_at


def another_talks(state: Condition, user: UserId) -> bool:
    """Whether another user in emergency has the floor: nothing may be cancelled then (TS 24.379 §6.3.3.1.13)."""
    in_emergency = {holder.user for holder in state.holders if holder.tier is Tier.EMERGENCY}
    return any(other != user and other in in_emergency for other in state.talking)


def _declare(state: Condition, given: Declare, now: int) -> Step:
    known = state.holder(given.cause)
    if known is not None and known.tier is given.tier:
        return state, ()
    holder = Holder(given.cause, given.user, given.tier, given.sos, now if known is None else known.since)
    others = tuple(each for each in state.holders if each.cause != given.cause)
    state = replace(state, holders=(*others, holder) if known is None else _put(state.holders, holder), quiet_at=None)
    return state, (UserTier(given.user, *_of(state, given.user)),)


def _clear(state: Condition, given: Clear, now: int) -> Step:
    known = state.holder(given.cause)
    if known is None:
        return state, ()
    if not given.force and another_talks(state, known.user):
        return state, (Refused(Refusal.EMERGENCY_TALKING),)
    state = replace(state, holders=tuple(each for each in state.holders if each is not known))
    return state, (UserTier(known.user, *_of(state, known.user)), Ended(given.cause, timed_out=False))


def _talks(state: Condition, given: Talks, now: int) -> Step:
    return replace(state, talking=(*state.talking, given.user)), ()


def _quiet(state: Condition, given: Quiet, now: int) -> Step:
    talking = list(state.talking)
    if given.user in talking:
        talking.remove(given.user)
    return replace(state, talking=tuple(talking), quiet_at=None), ()


def _nothing(state: Condition, given: Tick, now: int) -> Step:
    return state, ()


def _expire(state: Condition, now: int) -> Step:
    if state.quiet_at is None or state.quiet_at > now:
        return state, ()
    over = tuple(holder for holder in state.holders if not holder.sos)
    state = replace(state, holders=tuple(holder for holder in state.holders if holder.sos), quiet_at=None)
    done: tuple[ConditionEffect, ...] = ()
    for holder in over:
        done += (UserTier(holder.user, *_of(state, holder.user)), Ended(holder.cause, timed_out=True))
    return state, done


def _timed(state: Condition, now: int) -> Condition:
    runs = state.quiet_ms > 0 and not state.talking and any(not holder.sos for holder in state.holders)
    if not runs:
        return state if state.quiet_at is None else replace(state, quiet_at=None)
    return state if state.quiet_at is not None else replace(state, quiet_at=now + state.quiet_ms)


def _of(state: Condition, user: UserId) -> tuple[Tier, bool]:
    held = [holder for holder in state.holders if holder.user == user]
    return max((each.tier for each in held), default=Tier.NORMAL), any(each.sos for each in held)


def _put(holders: tuple[Holder, ...], changed: Holder) -> tuple[Holder, ...]:
    return tuple(changed if each.cause == changed.cause else each for each in holders)


_HANDLERS: dict[type, Callable[[Condition, Any, int], Step]] = {
    Declare: _declare,
    Clear: _clear,
    Talks: _talks,
    Quiet: _quiet,
    Tick: _nothing,
}
