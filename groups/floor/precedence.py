"""Who goes before whom on the floor of one group, as one table. Whose voice has the slot: `groups.precedence`.

    ============  ========  ============  ========  ===========  ========
    newcomer ↓    who is on air
    ------------  -------------------------------------------------------
                  normal    dispatcher    peril     emergency    SOS
    ============  ========  ============  ========  ===========  ========
    normal        number    number        waits     waits        waits
    dispatcher    number    number        beside    beside       beside
    peril         takes     beside        number    waits        waits
    emergency     takes     beside        takes     number       beside
    SOS           takes     beside        takes     beside       beside
    ============  ========  ============  ========  ===========  ========

One in danger is silenced by nobody; a leader and he are both heard. A dispatcher neither waits behind an emergency nor
is silenced by one: he is heard beside it. There is room for `TALKERS` beside each other, and for a dispatcher beside
them; when it is full the more urgent kind takes the place of a lesser one. In ordinary talk, between two leaders, and
between two dispatchers, the higher number goes first, else who was there (TS 24.380 §4.1.1.4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum, StrEnum
from typing import Protocol

from groups.vocabulary import Tier

TALKERS = 2
"""On air beside each other, dispatchers not counted: a phone has so many slots."""


class Asks(Protocol):
    """One who has, or wants, the floor."""

    @property
    def tier(self) -> Tier:
        """His own, from the server's state."""

    @property
    def priority(self) -> int:
        """His number, 0–255."""

    @property
    def sos(self) -> bool:
        """Whether he is in danger himself."""

    @property
    def dispatcher(self) -> bool:
        """Whether he talks as a dispatcher who answers alerts here."""


class Presses(Asks, Protocol):
    """One who wants it."""

    @property
    def may_preempt(self) -> bool:
        """Whether a greater number takes the floor."""


class Kind(IntEnum):
    """As what somebody talks, least urgent first."""

    NORMAL = 0
    DISPATCHER = 1
    PERIL = 2
    EMERGENCY = 3
    SOS = 4


class Verdict(StrEnum):
    """What a newcomer gets."""

    WAITS = "waits"
    NUMBER = "by the number"
    TAKES = "takes the floor"
    BESIDE = "on air beside"


WAITS, NUMBER, TAKES, BESIDE = Verdict.WAITS, Verdict.NUMBER, Verdict.TAKES, Verdict.BESIDE

FLOOR: Mapping[Kind, tuple[Verdict, ...]] = {
    # newcomer          normal  dispatcher peril   emergency SOS
    Kind.NORMAL: (NUMBER, NUMBER, WAITS, WAITS, WAITS),
    Kind.DISPATCHER: (NUMBER, NUMBER, BESIDE, BESIDE, BESIDE),
    Kind.PERIL: (TAKES, BESIDE, NUMBER, WAITS, WAITS),
    Kind.EMERGENCY: (TAKES, BESIDE, TAKES, NUMBER, BESIDE),
    Kind.SOS: (TAKES, BESIDE, TAKES, BESIDE, BESIDE),
}


def kind(who: Asks) -> Kind:
    """As what he talks; a dispatcher who is in an emergency of his own talks as what that makes him."""
    if who.tier is Tier.EMERGENCY:
        return Kind.SOS if who.sos else Kind.EMERGENCY
    if who.tier is Tier.IMMINENT_PERIL:
        return Kind.PERIL
    return Kind.DISPATCHER if who.dispatcher else Kind.NORMAL


def beside(who: Asks, other: Asks) -> bool:
    """Whether ``who`` comes on air beside ``other``."""
    return FLOOR[kind(who)][kind(other)] is BESIDE


def outranks(who: Presses, other: Asks) -> bool:
    """Whether ``who`` takes the floor of ``other``, where there is no room beside."""
    verdict = FLOOR[kind(who)][kind(other)]
    if verdict is NUMBER:
        return who.may_preempt and who.priority > other.priority
    return verdict is not WAITS and kind(who) > kind(other)


def room(who: Asks, on_air: Iterable[Asks]) -> bool:
    """Whether one more may be on air beside these."""
    return who.dispatcher or sum(not each.dispatcher for each in on_air) < TALKERS


def comes_beside(who: Asks, on_air: Collection[Asks]) -> bool:
    """Whether he comes on air beside all of these."""
    return all(beside(who, each) for each in on_air) and room(who, on_air)


def together(one: Asks, other: Asks) -> bool:
    """Whether both may stay on air. Beside a dispatcher each comes to his end, though the emergency is over."""
    return one.dispatcher or other.dispatcher or beside(one, other) or beside(other, one)


def may_stay(bursts: Iterable[Asks]) -> bool:
    """Whether all of these may be on air at once."""
    every = list(bursts)
    return all(together(one, other) for at, one in enumerate(every) for other in every[at + 1 :])
