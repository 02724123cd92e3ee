"""Where the phones of a group belong, of several nodes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from poc_server.neighbours.phones.homes import FULL, GATHERED, OVERFULL, SPARE, Occupied, home

NAMES = st.lists(st.sampled_from("abcdef"), min_size=2, unique=True)


def empty(*names: str) -> list[Occupied]:
    return [Occupied(name, 0, 0) for name in names]


def test_a_group_is_where_most_of_its_phones_are() -> None:
    nodes = [Occupied("a", 20, 1), Occupied("b", 20, 3), Occupied("c", 20, 2)]
    assert {home(f"g{number}", nodes) for number in range(20)} == {"b"}


@given(NAMES, st.randoms())
def test_every_node_says_the_same_of_a_group_nobody_is_in(names: list[str], random: object) -> None:
    nodes = empty(*names)
    before = [home(f"g{number}", nodes) for number in range(20)]
    random.shuffle(nodes)  # type: ignore[attr-defined]
    assert [home(f"g{number}", nodes) for number in range(20)] == before


@given(NAMES)
def test_where_a_node_goes_only_its_own_groups_have_another_home(names: list[str]) -> None:
    nodes = empty(*names, "z")
    stays = [each for each in nodes if each.node != "z"]
    for group in map(str, range(50)):
        was = home(group, nodes)
        assert was == "z" or was == home(group, stays) or len(stays) < 2


def test_groups_spread_evenly() -> None:
    counted = Counter(home(f"group-{number}", empty("node-1", "node-2", "node-3")) for number in range(3_000))
    assert all(900 < count < 1_100 for count in counted.values())


@pytest.mark.parametrize(("phones", "gathered"), [(GATHERED, True), (GATHERED + 1, False)])
def test_a_large_group_may_be_anywhere(phones: int, gathered: bool) -> None:
    nodes = [Occupied("a", 1_000, phones - 2), Occupied("b", 1_000, 2)]
    assert home("g", nodes) == ("a" if gathered else None)


def test_one_node_alone_is_no_question() -> None:
    assert home("g", [Occupied("a", 10, 10)]) is None


def at_most(full: float, others: int) -> int:
    """Of two nodes, the phones one may have beside so many of the other: ``p <= full * (p + others) / 2 + SPARE``."""
    return int((full * others / 2 + SPARE) / (1 - full / 2))


@pytest.mark.parametrize(("full", "there"), [(FULL, 0), (OVERFULL, 9)])
def test_a_full_node_is_the_home_of_no_new_group_and_an_overfull_one_not_of_its_own(full: float, there: int) -> None:
    a_is_home = [f"g{number}" for number in range(99) if home(f"g{number}", empty("a", "b")) == "a"]
    most = at_most(full, 600)
    for phones, whose in ((most, "a"), (most + 1, "b")):
        nodes = [Occupied("a", phones, there), Occupied("b", 600, 0)]
        assert {home(group, nodes) for group in a_is_home} == {whose}


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 20)), min_size=2, max_size=6))
def test_there_is_always_a_home_for_a_small_group(loads: list[tuple[int, int]]) -> None:
    nodes = [Occupied(str(number), max(load), load[1]) for number, load in enumerate(loads)]
    small = sum(each.talkers for each in nodes) <= GATHERED
    assert (home("g", nodes) is not None) == small


def total(nodes: list[Occupied]) -> int:
    return sum(each.talkers for each in nodes)


def moved(node: Occupied, group: int, there: str) -> Occupied:
    """A node after all of a group went where it belongs."""
    comes = group if node.node == there else 0
    return Occupied(node.node, node.phones - node.talkers + comes, comes)


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 20)), min_size=2, max_size=5), st.text(max_size=3))
def test_no_two_nodes_give_a_group_to_each_other_for_ever(loads: list[tuple[int, int]], group: str) -> None:
    nodes = [Occupied(str(number), max(load), load[1]) for number, load in enumerate(loads)]
    for _ in range(len(nodes) + 1):
        there = home(group, nodes) if total(nodes) else None
        if there is None or there == next((each.node for each in nodes if each.talkers == total(nodes)), None):
            return
        nodes = [moved(each, total(nodes), there) for each in nodes]
    raise AssertionError("it goes on and on")
