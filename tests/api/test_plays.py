"""When listening is a play of its own."""

from __future__ import annotations

from poc_server.api.plays import Play, Plays

WITHIN_MS = 600_000
PLAY = Play("u-1", "192.0.2.1", "b-1", "ogg")


def test_pieces_belong_to_the_play_before_them_up_to_its_time_and_not_beyond() -> None:
    plays = Plays(WITHIN_MS)
    told = [plays.begins(PLAY, at, goes_on=True) for at in (5, 6, 4 + WITHIN_MS, 5 + WITHIN_MS, 6 + WITHIN_MS)]
    assert told == [True, False, False, True, False]


def test_a_clock_that_is_set_back_hides_no_play() -> None:
    plays = Plays(WITHIN_MS)
    assert [plays.begins(PLAY, at, goes_on=True) for at in (5_000, 4_000)] == [True, True]


def test_what_does_not_go_on_is_always_a_play() -> None:
    plays = Plays(WITHIN_MS)
    assert [plays.begins(PLAY, 1, goes_on=False) for _ in range(2)] == [True, True]
    assert not plays.begins(PLAY, 2, goes_on=True)


def test_without_a_time_every_piece_is_told() -> None:
    plays = Plays(0)
    assert [plays.begins(PLAY, 1, goes_on=True) for _ in range(2)] == [True, True]


def test_beyond_the_bound_the_oldest_is_told_again_and_nothing_is_passed_over() -> None:
    plays = Plays(WITHIN_MS, most=2)
    a, b, c = (Play(who, "", "b-1") for who in "abc")
    assert [plays.begins(each, 1, goes_on=True) for each in (a, b, a, b)] == [True, True, False, False]
    assert [plays.begins(each, 2, goes_on=True) for each in (c, b, a)] == [True, False, True]
