"""Who is looked after, and when."""

from __future__ import annotations

from poc_server.media.rounds import Rounds


def due(rounds: Rounds[str], now: float) -> list[str]:
    """All who are due, one after the other."""
    found = []
    while (who := rounds.due(now)) is not None:
        found.append(who)
    return found


def test_each_is_looked_after_once_when_his_time_has_come_the_longest_due_first() -> None:
    rounds: Rounds[str] = Rounds()
    for who, at in (("late", 3.0), ("soon", 1.0), ("next", 2.0)):
        rounds.want(who, at)
    assert due(rounds, 0.9) == []
    assert due(rounds, 2.0) == ["soon", "next"]
    assert due(rounds, 2.0) == []
    assert list(rounds) == ["late"]


def test_who_is_wanted_sooner_is_looked_after_sooner_and_only_once() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.want("one", 30.0)
    rounds.want("one", 1.0)
    rounds.want("one", 5.0)
    assert due(rounds, 1.0) == ["one"]
    assert due(rounds, 100.0) == []


def test_a_time_that_was_asked_for_again_after_the_look_counts() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.want("one", 10.0)
    rounds.want("one", 1.0)
    assert due(rounds, 1.0) == ["one"]
    rounds.want("one", 10.0)
    assert due(rounds, 10.0) == ["one"]
    assert due(rounds, 10.0) == []


def test_who_is_forgotten_is_not_looked_after() -> None:
    rounds: Rounds[str] = Rounds()
    rounds.want("gone", 1.0)
    rounds.want("here", 1.0)
    rounds.forget("gone")
    rounds.forget("never")
    assert list(rounds) == ["here"]
    assert due(rounds, 1.0) == ["here"]
