"""When a node takes over an export of another: by its own watch, whatever clocks say."""

from __future__ import annotations

from dataclasses import replace

from poc_server.recording.exporting.unheard import WITHIN_S, Unheard
from poc_server.store.records.exports import LET_GO_MS, Sign

SIGN = Sign("ex-1", "n1", 0, 1_000)


def test_what_nothing_new_is_heard_of_is_lost() -> None:
    unheard = Unheard("n2")
    assert unheard.look([SIGN], 0.0) == []
    assert unheard.look([SIGN], WITHIN_S - 1) == []
    assert unheard.look([SIGN], WITHIN_S) == [SIGN]
    assert unheard.look([], WITHIN_S + 1) == []
    assert unheard.look([SIGN], WITHIN_S + 2) == [], "heard of for the first time"


def test_whoever_says_anything_goes_on_though_his_clock_is_set_back() -> None:
    unheard = Unheard("n2")
    unheard.look([SIGN], 0.0)
    assert unheard.look([replace(SIGN, alive_ms=500)], WITHIN_S) == []
    assert unheard.look([replace(SIGN, alive_ms=500)], 2 * WITHIN_S - 1) == []


def test_a_time_in_which_nobody_could_say_anything_does_not_count() -> None:
    unheard = Unheard("n2")
    unheard.look([SIGN], 0.0)
    unheard.interrupted()
    assert unheard.look([SIGN], WITHIN_S) == []
    assert unheard.look([SIGN], 2 * WITHIN_S) == [SIGN]


def test_what_is_let_go_is_taken_at_once_and_what_one_made_before_it_began_anew() -> None:
    let_go = replace(SIGN, alive_ms=LET_GO_MS)
    assert Unheard("n2").look([let_go], 0.0) == [let_go]
    again = Unheard("n1")
    again.interrupted()
    assert again.look([SIGN], 0.0) == [SIGN]
    assert again.look([SIGN], 1.0) == []
