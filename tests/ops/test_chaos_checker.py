"""The checker of `make chaos` finds what it is there to find."""

from __future__ import annotations

import itertools

import pytest

from tools.chaos.checker import (
    Verdict,
    after_kill,
    deaf,
    double_talk,
    not_serial,
    parted,
    recovery,
    unanswered,
)
from tools.chaos.schedule import Event, Fault, length, schedule
from tools.chaos.seen import Back, Granted, Heard, Idle, Killed, Paused, Spoken, Unanswered

AWAY = [Event(Fault.REDIS_AWAY, 0.5, 3.0, 0)]


def said(talker: int, press: int, begin: float, seconds: float, node: int = 0, listener: int = 9) -> list[Heard]:
    return [Heard(begin + n * 0.04, "g", listener, node, talker, press) for n in range(int(seconds / 0.04))]


def grant(at: float, burst: int, talker: int = 1, group: str = "g", node: int = 0) -> Granted:
    return Granted(at, group, node, talker, burst, 1)


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


def test_one_who_talks_over_several_is_found_with_each_of_them() -> None:
    over_two = said(1, 1, 0.0, 9.0) + said(2, 1, 1.0, 1.0) + said(3, 1, 5.0, 3.0)
    assert len(double_talk(over_two, [])) == 2


def test_what_a_fault_parted_is_forgiven_until_it_has_settled() -> None:
    both = said(1, 1, 0.0, 3.0) + said(2, 1, 1.0, 2.0, node=1)
    assert double_talk(both, AWAY) == []
    late = said(1, 1, 20.0, 3.0) + said(2, 1, 21.0, 2.0, node=1)
    assert double_talk(late, AWAY) != []
    too_long = said(1, 1, 2.0, 9.0) + said(2, 1, 2.0, 9.0, node=1)
    assert double_talk(too_long, AWAY) != [], "longer than the settling time after"
    assert parted(AWAY, 7.9)
    assert not parted(AWAY, 8.1)
    assert not parted([Event(Fault.KILL, 0.5, 0.5, 0)], 1.0)


def test_nodes_that_are_parted_have_one_talker_each() -> None:
    assert double_talk(said(1, 1, 0.5, 2.0) + said(2, 1, 0.6, 2.0), AWAY) != []


def test_floors_are_serial() -> None:
    grants = [grant(1.0, 1_000), grant(2.0, 2_000, 2), grant(3.0, 900, 2, "h")]
    assert not_serial(grants, []) == []
    assert not_serial([*grants, grant(4.0, 1_500, 3)], []) != []
    assert not_serial([*grants, grant(4.0, 2_000, 2)], []) == [], "told again to who came back with it"
    assert not_serial([*grants, grant(4.0, 2_000, 3)], []) != []


def test_grants_of_nearly_one_moment_may_be_noted_in_either_order_and_are_never_of_one_number() -> None:
    assert not_serial([grant(1.0, 2_000), grant(1.1, 1_000, 2)], []) == []
    assert not_serial([grant(1.0, 2_000), grant(1.1, 1_000, 2), grant(2.0, 1_500, 3)], []) != []
    assert not_serial([grant(1.0, 2_000), grant(1.1, 2_000, 2)], []) != []


def test_floors_of_each_node_are_serial_also_while_a_fault_parts_them() -> None:
    assert not_serial([grant(1.0, 2_000), grant(2.0, 1_000, 2, node=1)], AWAY) == []
    assert not_serial([grant(1.0, 2_000), grant(2.0, 1_000, 2)], AWAY) != []
    assert not_serial([grant(1.0, 2_000), grant(4.0, 1_000, 2)], AWAY) == [], "one is made of both sides"


def test_a_burst_is_heard_by_all_of_its_group_that_are_there() -> None:
    spoken = [Spoken(2.0, 3.0, "g", 1, 7, 25)]
    heard = said(1, 7, 2.0, 1.0, listener=2)
    backs = [Back(0.1, phone) for phone in (1, 2, 3, 4)] + [Back(3.5, 4)]
    groups = {"g": [1, 2, 3, 4, 5]}
    assert len(deaf(spoken, heard, backs, groups, [])) == 1, "3; 4 was away, and 5 never there"
    assert deaf(spoken, heard, backs, groups, [Event(Fault.KILL, 2.5, 2.5, 0)]) == []
    assert deaf([Spoken(2.0, 2.1, "g", 1, 7, 2)], [], backs, groups, []) == [], "a word that was cut at once"


def test_a_key_is_answered_where_nothing_fails() -> None:
    assert unanswered([Unanswered(20.0, "g", 1)], AWAY) != []
    assert unanswered([Unanswered(-0.4, "g", 1), Unanswered(8.0, "g", 1)], AWAY) == []
    assert unanswered([Unanswered(-0.6, "g", 1), Unanswered(8.1, "g", 1)], AWAY) != []


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict(after_kill_s={"floors free": 3.1}),
        Verdict(after_kill_s={"phones back": float("inf")}),
        Verdict(recovery_s={"a fault": float("inf")}),
        Verdict(deaf=["one"]),
        Verdict(unanswered=["one"]),
        Verdict(lost_records=["one"]),
    ],
)
def test_what_is_not_whole_again_in_time_or_was_lost_fails_the_run(verdict: Verdict) -> None:
    assert not verdict.ok
    assert Verdict(after_kill_s={"floors free": 3.0, "phones back": 5.0}, recovery_s={"a fault": 5.0}).ok


def test_recovery_is_until_every_phone_hears_again() -> None:
    event = Event(Fault.KILL, 5.0, 5.0, 0)
    heard = [Heard(6.0, "g", 1, 0, 2, 1), Heard(7.5, "h", 3, 0, 2, 1)]
    groups = {"g": [1], "h": [3, 4]}
    assert recovery(heard, [event], groups, [], []) == {"kill -9 a node at 5 s": float("inf")}, "4 heard nobody"
    heard.append(Heard(6.5, "h", 4, 0, 3, 1))
    assert recovery(heard, [event], groups, [], []) == {"kill -9 a node at 5 s": 2.5}


def test_what_people_pause_by_themselves_is_no_time_of_recovery() -> None:
    event = Event(Fault.REDIS_FROZEN, 5.0, 10.0, 0)
    heard = [Heard(16.5, "g", 1, 0, 2, 1), Heard(11.0, "g", 2, 0, 1, 1), Heard(11.0, "g", 3, 0, 1, 1)]
    spoken = [Spoken(11.0, 12.5, "g", 1, 1, 37)]
    paused = [Paused(9.0, 15.0, 2), Paused(10.5, 13.0, 3), Paused(14.0, 20.0, 3)]
    # Of 6.5 s one paused from 10.5 to 13 and from 14 to 15 with the other: what is left are 10-10.5, 13-14 and 15-16.5.
    assert recovery(heard, [event], {"g": [1, 2, 3]}, paused, spoken) == {"Redis is frozen (SIGSTOP) at 5 s": 3.0}


def test_a_kill_is_over_when_its_last_floor_is_free_and_its_last_phone_is_back() -> None:
    killed = Killed(10.0, frozenset({1, 2}), {"g": 77, "h": 90})
    idles = [Idle(9.0, "g", 77), Idle(11.5, "g", 77), Idle(11.0, "g", 77), Idle(10.5, "g", 78)]
    grants = [grant(10.5, 90, 1, "h"), grant(10.875, 91, 2, "h")]
    backs = [Back(1.0, 1), Back(10.5, 1), Back(10.75, 2), Back(12.0, 2), Back(13.0, 3)]
    assert after_kill(killed, grants, idles, backs) == {"floors free": 1.0, "phones back": 0.75}
    assert after_kill(killed, [], idles, backs[:2]) == {"floors free": float("inf"), "phones back": float("inf")}
