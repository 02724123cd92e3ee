"""How often a group is told who is there."""

from __future__ import annotations

from poc_server.talk.presence import interval_s


def test_up_to_a_hundred_phones_are_told_each_second_and_from_a_thousand_on_after_ten() -> None:
    assert [interval_s(phones) for phones in (0, 1, 100)] == [1.0, 1.0, 1.0]
    assert [interval_s(phones) for phones in (101, 500, 1_000, 5_000)] == [1.01, 5.0, 10.0, 10.0]
