"""Two nodes that did not see each other meet again: what holds of one floor."""

from __future__ import annotations

from dataclasses import replace

from groups.floor.inputs import Release, Request
from groups.floor.machine import deadline, handle
from groups.floor.merge import merge
from groups.floor.options import FloorOptions
from groups.floor.state import FloorState, RetryAfter
from groups.vocabulary import Tier, UserId


def pressed(state: FloorState, name: str, now: int, tier: Tier = Tier.NORMAL) -> FloorState:
    return handle(state, Request(UserId(name), f"{name}/1", participants=3, tier=tier), now)[0]


def here(*names: str):  # type: ignore[no-untyped-def]
    return {f"{name}/1" for name in names}.__contains__


def talkers(state: FloorState) -> list[str]:
    return [burst.user for burst in state.bursts]


def test_the_newest_burst_wins_whichever_node_merges() -> None:
    mine, theirs = pressed(FloorState(), "a", 1_000), pressed(FloorState(), "b", 2_000)
    assert talkers(merge(mine, theirs, here("a"))) == ["b"]
    assert talkers(merge(theirs, mine, here("b"))) == ["b"]
    assert merge(mine, theirs, here("a")).last_burst == 2_000


def test_each_node_knows_best_of_its_own_phones() -> None:
    before = pressed(FloorState(), "a", 1_000)
    ended = replace(before, bursts=())
    assert talkers(merge(ended, before, here("a"))) == []  # it ended here while the other could not know
    assert talkers(merge(before, ended, here("b"))) == []  # it ended there
    assert talkers(merge(before, replace(ended, last_burst=5_000), here("a"))) == ["a"]


def test_all_who_wait_go_on_waiting_and_whoever_talks_does_not() -> None:
    mine = pressed(pressed(FloorState(), "a", 1_000), "b", 1_100)
    theirs = pressed(pressed(FloorState(), "c", 2_000), "d", 2_100)
    merged = merge(mine, theirs, here("a", "b"))
    assert talkers(merged) == ["c"]
    assert {entry.user for entry in merged.queue} == {"b", "d"}
    assert deadline(merged) is not None


def test_who_waited_for_a_burst_that_ended_on_the_other_node_has_the_floor_before_anybody_else() -> None:
    before = pressed(pressed(FloorState(), "a", 1_000), "b", 1_100)
    ended, _ = handle(before, Release(UserId("a"), "a/1"), 2_000)  # granted to b over there, who could not hear it
    for merged in (merge(ended, before, here("a")), merge(before, ended, here("b"))):
        assert (talkers(merged), [entry.user for entry in merged.queue]) == ([], ["b"])
        assert talkers(pressed(merged, "c", 2_100)) == ["b"]


def test_two_stay_only_where_the_floor_is_dual() -> None:
    dual = FloorState(options=FloorOptions(dual_floor=True))
    mine, theirs = pressed(dual, "a", 1_000), pressed(dual, "b", 2_000, Tier.EMERGENCY)
    assert talkers(merge(mine, theirs, here("a"))) == ["a", "b"]
    assert talkers(merge(mine, pressed(dual, "b", 2_000), here("a"))) == ["b"]
    no_longer = pressed(FloorState(), "b", 2_000, Tier.EMERGENCY)
    for merged in (merge(mine, no_longer, here("a")), merge(no_longer, mine, here("b"))):
        assert talkers(merged) == ["b"], "by what was set last, whichever node merges"


def test_what_either_knows_of_t9_arrivals_and_options_is_kept_and_no_inactivity_runs_while_one_talks() -> None:
    anna, clara = UserId("anna"), UserId("clara")
    mine = FloorState(
        FloorOptions(queueing=False), retry=(RetryAfter(anna, 9_000),), arrivals=7, inactive_at=31_000, clock=3_000
    )
    retry = (RetryAfter(anna, 8_000), RetryAfter(clara, 5_000))
    theirs = replace(pressed(FloorState(), "b", 2_000), retry=retry, arrivals=9)
    for merged in (merge(mine, theirs, here("a")), merge(theirs, mine, here("b"))):
        assert talkers(merged) == ["b"]
        assert {entry.user: entry.until for entry in merged.retry} == {anna: 9_000, clara: 5_000}
        assert (merged.arrivals, merged.inactive_at) == (9, None)
        assert merged.options == mine.options, "what was set last"


def test_empty_floors_are_an_empty_floor() -> None:
    assert merge(FloorState(), FloorState(), here()) == FloorState()
