from __future__ import annotations

import itertools

import pytest

from groups.precedence import DISPLACES, TIES, Tie, Verdict, Voice, rank, voice_of
from groups.vocabulary import Tier

PAIRS = list(itertools.product(Voice, Voice))


def takes_the_slot(newcomer: Voice, current: Voice, **better: int) -> bool:
    """Whether the newcomer, who is later and as good but for ``better``, ranks before the one who is heard."""
    standing = {"place": 3, "number": 100}
    return rank(newcomer, **{**standing, **better}, first=2) < rank(current, **standing, first=1)


@pytest.mark.parametrize(("newcomer", "current"), PAIRS, ids=lambda voice: voice.name.lower())
def test_the_rank_does_what_the_table_says(newcomer: Voice, current: Voice) -> None:
    verdict = DISPLACES[newcomer][current]
    every_advantage = {"place": 0, "number": 255}
    assert takes_the_slot(newcomer, current) is (verdict is Verdict.YES)
    assert takes_the_slot(newcomer, current, **every_advantage) is (verdict is not Verdict.NO)


def test_sos_is_displaced_by_nothing() -> None:
    assert {DISPLACES[voice][Voice.SOS] for voice in Voice} == {Verdict.NO}


def test_an_emergency_call_displaces_normal_talk() -> None:
    assert takes_the_slot(Voice.EMERGENCY, Voice.NORMAL, place=60, number=0)


def test_a_broadcast_displaces_normal_calls_but_not_what_an_sos_group_says() -> None:
    assert takes_the_slot(Voice.BROADCAST, Voice.NORMAL, number=0)
    in_an_sos_group = voice_of(Tier.NORMAL, group_tier=Tier.EMERGENCY)
    assert not takes_the_slot(Voice.BROADCAST, in_an_sos_group, number=255)


def test_imminent_peril_stands_between() -> None:
    assert takes_the_slot(Voice.PERIL, Voice.BROADCAST)
    assert not takes_the_slot(Voice.PERIL, Voice.EMERGENCY, number=255)


def test_of_two_leaders_the_higher_number_else_the_first() -> None:
    assert takes_the_slot(Voice.EMERGENCY, Voice.EMERGENCY, number=101)
    assert not takes_the_slot(Voice.EMERGENCY, Voice.EMERGENCY, number=100)
    assert not takes_the_slot(Voice.EMERGENCY, Voice.EMERGENCY, place=0), "a leader is not less for being unselected"


def test_normal_calls_follow_the_listeners_own_list() -> None:
    assert takes_the_slot(Voice.NORMAL, Voice.NORMAL, place=2, number=0)
    assert not takes_the_slot(Voice.NORMAL, Voice.NORMAL, place=4, number=255)
    assert takes_the_slot(Voice.NORMAL, Voice.NORMAL, number=101)
    assert not takes_the_slot(Voice.NORMAL, Voice.NORMAL)


def test_every_kind_is_decided_in_the_end_by_who_was_first() -> None:
    assert {ties[-1] for ties in TIES.values()} == {Tie.FIRST}
    assert set(TIES) == set(DISPLACES) == set(Voice)


@pytest.mark.parametrize(
    ("said", "voice"),
    [
        ({"tier": Tier.NORMAL}, Voice.NORMAL),
        ({"tier": Tier.NORMAL, "broadcast": True}, Voice.BROADCAST),
        ({"tier": Tier.IMMINENT_PERIL, "broadcast": True}, Voice.PERIL),
        ({"tier": Tier.EMERGENCY, "broadcast": True}, Voice.EMERGENCY),
        ({"tier": Tier.NORMAL, "group_tier": Tier.IMMINENT_PERIL}, Voice.PERIL),
        ({"tier": Tier.EMERGENCY, "group_tier": Tier.IMMINENT_PERIL}, Voice.EMERGENCY),
        ({"tier": Tier.EMERGENCY, "sos": True}, Voice.SOS),
    ],
)
def test_what_kind_of_voice_a_burst_is(said: dict, voice: Voice) -> None:
    assert voice_of(**said) is voice
