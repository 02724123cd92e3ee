"""When a node that was on its own says that it is one of the city again."""

from __future__ import annotations

from poc_server.neighbours.known.neighbour import Neighbour
from poc_server.neighbours.life.reunion import Reunion

LEASE_S = 2.0


def other(name: str, life: str = "1", *, known: bool = True, hears: bool = True) -> Neighbour:
    made = Neighbour(f"{name}:{life}", 0.0, whole=True, hears=hears)
    if not known:
        made.awaited = {"u/phone"}
    return made


class Way:
    """Of one node back to the others."""

    def __init__(self, *was_with: str) -> None:
        self.reunion = Reunion(LEASE_S)
        self.reunion.parted(was_with)

    def over(self, now: float, *others: Neighbour, voice: bool = True, desk: bool = True) -> bool:
        return self.reunion.over(now, voice=voice, desk=desk, others=others)


def test_all_that_were_there_are_there_again_in_whichever_of_their_lives() -> None:
    way = Way("b", "c")
    way.reunion.began(0.0)
    assert not way.over(0.1, other("b"))
    assert way.reunion.apart
    assert way.over(0.2, other("b"), other("c", "2"))
    assert not way.reunion.apart
    assert not way.over(0.3, other("b"), other("c", "2")), "it is said once"


def test_one_whose_phones_are_not_all_known_or_that_does_not_hear_is_not_there_yet() -> None:
    way = Way("b")
    way.reunion.began(0.0)
    assert not way.over(0.1, other("b", known=False))
    assert not way.over(0.1, other("b", hears=False))
    assert not way.over(0.1, other("b"), desk=False)
    assert not way.over(0.1, other("b"), other("d", hears=False)), "nor is one that has come meanwhile"
    assert way.over(0.1, other("b"))


def test_one_that_was_lost_meanwhile_holds_up_nobody_for_longer_than_a_lease() -> None:
    way = Way("b")
    way.reunion.began(0.0)
    assert not way.over(LEASE_S - 0.01)
    assert way.over(LEASE_S)


def test_without_a_way_for_its_own_voice_it_stays_apart() -> None:
    way = Way("b")
    way.reunion.began(0.0)
    assert not way.over(100.0, other("b"), voice=False)
    assert way.over(100.0, other("b"))


def test_when_redis_goes_away_again_all_begins_anew() -> None:
    way = Way("b")
    way.reunion.began(0.0)
    way.reunion.parted(())
    assert not way.over(LEASE_S, other("b"))
    way.reunion.began(10.0)
    assert not way.over(10.1), "the one it was with at first is waited for still"
    assert way.over(10.1, other("b"))
