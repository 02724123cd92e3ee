"""Which node's decisions count: those of the one that holds the desk's lease, in the order they were said."""

from __future__ import annotations

from typing import Any

from poc_server.neighbours.desk.sayings import Sayings


def said(number: int) -> dict[str, Any]:
    return {"groups": {"g": number}}


def test_one_that_woke_and_had_lost_the_desk_is_not_believed() -> None:
    sayings = Sayings()
    sayings.add("old", said(1))
    sayings.add("new", said(2))
    sayings.add("old", said(3))
    assert sayings.of_holder(sayings.came, "new") == [said(2)]
    assert len(sayings) == 0


def test_what_was_said_after_the_lease_was_asked_for_waits_for_the_next_answer() -> None:
    sayings = Sayings()
    sayings.add("old", said(1))
    asked = sayings.came
    sayings.add("new", said(2))
    assert sayings.of_holder(asked, "old") == [said(1)], "it held the lease when this was asked"
    assert sayings.of_holder(asked, "old") == [], "an answer that comes late takes nothing away"
    assert sayings.of_holder(sayings.came, "new") == [said(2)]


def test_answers_that_overtake_each_other_take_each_saying_once() -> None:
    sayings = Sayings()
    sayings.add("new", said(1))
    first = sayings.came
    sayings.add("new", said(2))
    assert sayings.of_holder(sayings.came, "new") == [said(1), said(2)]
    assert sayings.of_holder(first, "new") == []
