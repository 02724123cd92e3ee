"""Who heard whom, what a process costs, and how bots share themselves out: pure."""

import os
import socket

import pytest

from loadtest.air import Air
from loadtest.bots import assign
from loadtest.identity import Identity
from loadtest.mark import Mark
from loadtest.procfs import NoSuchServer, cost, listener


def spoken(air: Air, phone: int, group: str, first_ms: int, last_ms: int) -> None:
    air.begin(phone, 1, group)
    for n, at in enumerate((first_ms, last_ms)):
        air.note(Mark(phone, 1, n, at * 1_000_000 - 500_000), at * 1_000_000)


def test_bursts_that_follow_each_other_are_no_double_talk() -> None:
    air = Air()
    spoken(air, 1, "a", 0, 100)
    spoken(air, 2, "a", 100, 200)
    spoken(air, 3, "b", 50, 150)
    assert air.double_talk() == 0
    assert air.bursts_heard == 3
    assert air.relay_ms.summary()["p50"] == 0.5


def test_two_talkers_in_one_group_are_found() -> None:
    air = Air()
    spoken(air, 1, "a", 0, 100)
    spoken(air, 2, "a", 99, 200)
    spoken(air, 3, "a", 300, 400)
    assert air.double_talk() == 1


def test_a_short_burst_inside_a_long_one_does_not_hide_the_next() -> None:
    air = Air()
    spoken(air, 1, "a", 0, 500)
    spoken(air, 2, "a", 100, 200)
    spoken(air, 3, "a", 300, 400)
    assert air.double_talk() == 2


def test_what_is_sent_again_is_no_relay_time_and_strangers_are_counted() -> None:
    air = Air()
    air.begin(1, 1, "a")
    air.note(Mark(1, 1, 0, 0), 40_000_000, repeated=True)
    air.note(Mark(9, 9, 0, 0), 1)
    assert len(air.relay_ms) == 0
    assert (air.bursts_heard, air.strangers) == (1, 1)
    assert air.last_heard == {"a": (40_000_000, 1, 1)}


def test_the_cost_of_a_process_is_read() -> None:
    mine = cost(os.getpid())
    assert mine.cpu_s > 0
    assert 1e6 < mine.rss_bytes < 1e10
    with pytest.raises(NoSuchServer):
        cost(2**22 + 1)


def test_the_process_behind_a_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert listener(port) == os.getpid()
    with pytest.raises(NoSuchServer):
        listener(port)


def test_bots_share_themselves_out_over_two_groups() -> None:
    people = [Identity(user=f"u{n}", token="t", groups=("a", "b", "c"), talks_in=("a", "b", "c")) for n in range(6)]
    found = assign(people)
    assert {group: len(members) for group, members in found.items()} == {"a": 3, "b": 3}
    assert assign([Identity(user="u", token="t")]) == {}
    wanted = assign(people, ["c", "nobody"])
    assert {group: len(members) for group, members in wanted.items()} == {"c": 6}
