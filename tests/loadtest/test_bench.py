"""The table of figures and its page: pure. The floor: real sockets."""

import xml.etree.ElementTree as ET

import pytest

from loadtest.bench.page import growth, page
from loadtest.bench.run import Bench
from loadtest.bench.table import ROWS, measured
from loadtest.reference import floor
from loadtest.reference.murmur import _number, _Ocb2, _varint
from loadtest.server import Target

RUNS = {
    "talk": {"access_ms": {"p99": 15.0}, "double_talk": 0, "server": {"kb_per_phone": 75.0}},
    "fanout": {"us_per_delivered": 5.0},
    "fanout python": {"us_per_delivered": 7.5},
    "floor": {"us_per_delivered": 2.5},
    "storm": {"cpu_ms_per_phone": 16.0, "failed": 0},
}


def test_each_row_says_how_far_from_bar_and_aim() -> None:
    found = {each.row.name: each for each in measured(RUNS)}
    access = found["access, p99"]
    assert (access.value, access.to_bar, access.to_aim, access.holds) == (15.0, 0.5, 3.0, True)
    assert found["fan-out against the kernel's floor (Python path)"].value == 3.0
    assert found["fan-out against the kernel's floor (fast path)"].value == 2.0
    assert found["storm: CPU per phone"].holds is False
    assert found["two talkers in one group"].holds is True
    assert found["relay, p99"].value is None
    assert found["relay, p99"].holds is None


def test_no_bar_is_laxer_than_its_aim() -> None:
    assert all(row.aim is None or row.bar is None or row.aim <= row.bar for row in ROWS)


def test_the_page_draws_growth() -> None:
    fan = {"us_per_delivered": 7.0, "cpu_s": 1.0, "sent": 500, "relay_ms": {"p50": 1.0, "p95": 2.0, "p99": 3.0}}
    done = Bench(RUNS, {100: {"fanout": fan}, 1000: {"fanout": fan}}, {"crowd": "too <few>"}, ["note"])
    for svg in growth(done).values():
        assert ET.fromstring(svg) is not None
    assert "too &lt;few&gt;" in page(measured(RUNS), done)


@pytest.mark.wire
def test_the_floor_delivers_all_it_is_asked_to() -> None:
    found = floor.run(listeners=50, pps=50, payload=80, seconds=1.0)
    assert found["delivered"] == found["expected"] == found["sent"] * 50


def test_the_murmur_reference_speaks_its_numbers_and_cipher() -> None:
    assert [_varint(n) for n in (5, 300, 70_000)] == [b"\x05", b"\x81\x2c", b"\xc1\x11\x70"]
    assert _number(300) == b"\xac\x02"
    seal = _Ocb2(bytes(16), b"\xff" + bytes(15))
    packets = [seal.encrypt(bytes(40)) for _ in range(3)]
    assert [(len(packet), packet[0]) for packet in packets] == [(44, 0), (44, 1), (44, 2)]


def test_a_server_elsewhere_costs_nothing_we_know_of() -> None:
    assert Target("ws://h/ws", [], None).cost().cpu_s == 0.0
