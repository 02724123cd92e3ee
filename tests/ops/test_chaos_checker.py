"""The checker of `make chaos` finds what it is there to find."""

from __future__ import annotations

import itertools

from tools.chaos.checker import (
    Back,
    Granted,
    Heard,
    Idle,
    Killed,
    after_kill,
    by_itself,
    double_talk,
    not_serial,
    parted,
    recovery,
)
from tools.chaos.schedule import Event, Fault, length, schedule


def said(talker: int, burst: int, begin: float, seconds: float) -> list[Heard]:
    return [Heard(begin + n * 0.04, "g", 9, talker, burst) for n in range(int(seconds / 0.04))]


def test_the_same_seed_is_the_same_run_with_every_fault_in_it() -> None:
    events = schedule(7, 2, short=False)
    assert events == schedule(7, 2, short=False)
    assert {event.fault for event in events} == set(Fault)
    assert all(before.until < after.at for before, after in itertools.pairwise(events))
    assert length(schedule(7, 2, short=True)) < length(events) / 2


def test_two_on_air_are_found_but_for_a_turn_that_crosses() -> None:
    assert double_talk(said(1, 1, 0.0, 2.0) + said(2, 1, 1.0, 2.0), []) != []
    assert double_talk(said(1, 1, 0.0, 2.0) + said(2, 1, 1.8, 2.0), []) == []
    assert double_talk(said(1, 1, 0.0, 2.0) + said(1, 2, 1.0, 2.0), []) == []


def test_what_a_fault_parted_is_forgiven_until_it_has_settled() -> None:
    away = [Event(Fault.REDIS_AWAY, 0.5, 3.0, 0)]
    both = said(1, 1, 0.0, 3.0) + said(2, 1, 1.0, 2.0)
    assert double_talk(both, away) == []
    late = said(1, 1, 20.0, 3.0) + said(2, 1, 21.0, 2.0)
    assert double_talk(late, away) != []
    assert parted(away, 7.9)
    assert not parted(away, 8.1)
    assert not parted([Event(Fault.KILL, 0.5, 0.5, 0)], 1.0)


def test_floors_are_serial() -> None:
    grants = [Granted(1.0, "g", 1, 1_000, 1), Granted(2.0, "g", 2, 2_000, 1), Granted(3.0, "h", 2, 900, 2)]
    assert not_serial(grants, []) == []
    assert not_serial([*grants, Granted(4.0, "g", 3, 1_500, 1)], []) != []
    assert not_serial([*grants, Granted(4.0, "g", 2, 2_000, 2)], []) == [], "told again to who came back with it"
    assert not_serial([*grants, Granted(4.0, "g", 3, 2_000, 1)], []) != []


def test_recovery_is_until_every_phone_hears_again() -> None:
    event = Event(Fault.KILL, 5.0, 5.0, 0)
    heard = [Heard(6.0, "g", 1, 2, 1), Heard(7.5, "h", 3, 2, 1)]
    assert recovery(heard, [event], [1, 3]) == {"kill -9 a node at 5 s": 2.5}


def test_a_kill_is_over_when_its_last_floor_is_free_and_its_last_phone_is_back() -> None:
    killed = Killed(10.0, frozenset({1, 2}), {"g": 77, "h": 90})
    idles = [Idle(9.0, "g", 77), Idle(11.5, "g", 77), Idle(11.0, "g", 77), Idle(10.5, "g", 78)]
    grants = [Granted(10.5, "h", 1, 90, 1), Granted(10.875, "h", 2, 91, 1)]
    backs = [Back(1.0, 1), Back(10.5, 1), Back(10.75, 2), Back(12.0, 2), Back(13.0, 3)]
    assert after_kill(killed, grants, idles, backs) == {"floors free": 1.0, "phones back": 0.75}
    assert after_kill(killed, [], idles, backs[:2]) == {"floors free": float("inf"), "phones back": float("inf")}


def test_what_people_pause_by_themselves_is_told_beside() -> None:
    events = [Event(Fault.KILL, 0.0, 0.0, 0), Event(Fault.SLEEP, 20.0, 30.0, 0)]
    assert by_itself([Heard(11.5, "g", 1, 2, 1)], events, [1]) == 1.5
