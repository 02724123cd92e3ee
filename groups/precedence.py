"""Who displaces whom on the slot of a listener, as one table.

A listener has fewer slots than there may be talkers. What is said in an emergency takes the slot of what is not:

    ===========  ======  =========  =====  =========  =====
    newcomer ↓   takes the slot of
    -----------  ------------------------------------------
                 normal  broadcast  peril  emergency  SOS
    ===========  ======  =========  =====  =========  =====
    normal       tie     no         no     no         no
    broadcast    yes     tie        no     no         no
    peril        yes     yes        tie    no         no
    emergency    yes     yes        yes    tie        no
    SOS          yes     yes        yes    yes        no
    ===========  ======  =========  =====  =========  =====

A tie between normal calls goes to the selected group, then by the order of the listen list, then to the higher number,
then to who was first; between calls of another kind to the higher number (two leaders), then to who was first. The
voice of one in SOS is displaced by nothing, not even by another SOS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import IntEnum, StrEnum
from operator import itemgetter

from groups.vocabulary import Tier


class Voice(IntEnum):
    """What kind of voice a burst is, least urgent first."""

    NORMAL = 0
    BROADCAST = 1
    PERIL = 2
    EMERGENCY = 3
    SOS = 4


class Verdict(StrEnum):
    """Whether a newcomer takes a slot."""

    NO = "no"
    TIE = "tie"
    YES = "yes"


class Tie(StrEnum):
    """What decides between two bursts of one kind."""

    PLACE = "place on the listener's list"
    NUMBER = "higher priority number"
    FIRST = "who was first"


NO, TIE, YES = Verdict.NO, Verdict.TIE, Verdict.YES

DISPLACES: Mapping[Voice, tuple[Verdict, ...]] = {
    # newcomer        normal broadcast peril emergency SOS
    Voice.NORMAL: (TIE, NO, NO, NO, NO),
    Voice.BROADCAST: (YES, TIE, NO, NO, NO),
    Voice.PERIL: (YES, YES, TIE, NO, NO),
    Voice.EMERGENCY: (YES, YES, YES, TIE, NO),
    Voice.SOS: (YES, YES, YES, YES, NO),
}

TIES: Mapping[Voice, tuple[Tie, ...]] = {
    Voice.NORMAL: (Tie.PLACE, Tie.NUMBER, Tie.FIRST),
    Voice.BROADCAST: (Tie.NUMBER, Tie.FIRST),
    Voice.PERIL: (Tie.NUMBER, Tie.FIRST),
    Voice.EMERGENCY: (Tie.NUMBER, Tie.FIRST),
    Voice.SOS: (Tie.FIRST,),
}

BY_PLACE = frozenset(voice for voice, ties in TIES.items() if Tie.PLACE in ties)
"""Kinds whose rank differs from listener to listener; the others' may be worked out once per burst."""

# One tie is picked twice: itemgetter makes a tuple of two or more only.
_COLUMN = {Tie.PLACE: 0, Tie.NUMBER: 1, Tie.FIRST: 2}
_PICK: Mapping[Voice, Callable[[tuple[int, int, int]], tuple[int, ...]]] = {
    voice: itemgetter(*(_COLUMN[tie] for tie in (ties if len(ties) > 1 else ties * 2))) for voice, ties in TIES.items()
}

Rank = tuple[int, tuple[int, ...]]


def voice_of(tier: Tier, *, sos: bool = False, group_tier: Tier = Tier.NORMAL, broadcast: bool = False) -> Voice:
    """What kind of voice a burst is.

    Args:
        tier: the talker's own.
        sos: the talker is the one in SOS.
        group_tier: an emergency or peril in progress in the group lifts all that is said in it, so that the members
            of an SOS group keep hearing each other while a broadcast goes out.
        broadcast: said in a broadcast.
    """
    if sos:
        return Voice.SOS
    highest = max(tier, group_tier)
    if highest is Tier.EMERGENCY:
        return Voice.EMERGENCY
    if highest is Tier.IMMINENT_PERIL:
        return Voice.PERIL
    return Voice.BROADCAST if broadcast else Voice.NORMAL


def rank(voice: Voice, place: int, number: int, first: int) -> Rank:
    """A sort key: of two bursts the one with the smaller rank keeps or takes the slot.

    Args:
        voice: its kind.
        place: of its group on the listener's list, 0 is the selected one.
        number: priority 0–255 of the talker, higher first.
        first: grows from burst to burst.
    """
    return -voice, _PICK[voice]((place, -number, first))
