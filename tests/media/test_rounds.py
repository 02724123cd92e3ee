"""Who is looked after, and when."""

from __future__ import annotations

from poc_server.media.rounds import Rounds


def test_each_is_looked_after_once_when_his_time_has_come_the_longest_due_first() -> None:
    rounds: Rounds[str] = Rounds()
    for who, at in (("late", 3.0), ("soon", 1.0), ("next", 2.0)):
        rounds.want(who, at)
    assert rounds.due(0.9, 9) == []
    assert rounds.due(2.0, 9) == ["soon", "next"]
    assert rounds.due(2.0, 9) == []
    assert list(rounds) == ["late"]


def test_who_is_wanted_sooner_is_looked_after_sooner_and_only_once() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.want("one", 30.0)
    rounds.want("one", 1.0)
    rounds.want("one", 5.0)
    assert rounds.due(1.0, 9) == ["one"]
    assert rounds.due(100.0, 9) == []


def test_a_time_that_was_asked_for_again_after_the_look_counts() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.want("one", 10.0)
    rounds.want("one", 1.0)
    assert rounds.due(1.0, 9) == ["one"]
    rounds.want("one", 10.0)
    assert rounds.due(10.0, 9) == ["one"]
    assert rounds.due(10.0, 9) == []


def test_who_is_forgotten_is_not_looked_after() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.want("gone", 1.0)
    rounds.want("here", 1.0)
    rounds.forget("gone")
    rounds.forget("never")
    assert len(rounds) == 1
    assert rounds.due(1.0, 9) == ["here"]


def test_many_who_are_due_at_once_are_looked_after_a_part_at_a_time() -> None:
    rounds: Rounds[int] = Rounds()
    for who in range(5):
        rounds.want(who, 1.0)
    assert [rounds.due(1.0, 2) for _ in range(3)] == [[0, 1], [2, 3], [4]]
