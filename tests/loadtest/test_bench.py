"""The table of figures and its page: pure. The floor: real sockets."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from loadtest.bench import docs
from loadtest.bench.page import growth, page
from loadtest.bench.run import Bench
from loadtest.bench.table import ROWS, measured
from loadtest.reference import floor
from loadtest.reference.murmur import _number, _Ocb2, _varint
from loadtest.server import Target

RUNS = {
    "talk": {"access_ms": {"p99": 15.0}, "double_talk": 0, "server": {"kb_per_phone": 75.0}},
    "fanout": {"us_per_delivered": 5.0, "voice_us_per_delivered": 3.0},
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
    assert found["the same without what the server and 500 silent phones cost anyway"].value == 1.2
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


def test_a_page_gets_its_table_sizes_and_pictures_between_its_marks(tmp_path: Path) -> None:
    fan = {"us_per_delivered": 3.0, "cpu_s": 1.05, "sent": 500, "expected": 50_000, "delivered": 49_995} | {
        "relay_ms": {"p50": 1.0, "p95": 2.0, "p99": 3.0}
    }
    runs = {
        "fanout": fan,
        "storm": {"cpu_ms_per_phone": 2.0, "failed": 0},
        "idle": {"cpu_us_per_phone_second": 100.0, "kb_per_phone": 50.0},
        "talk": {"phones": 500, "seconds": 10.0, "sent": 1_000, "delivered": 9_000, "server": {"cpu_s": 0.827}},
    }
    done = Bench(runs, {100: {"fanout": fan}}, {}, [], {"talk": 30.0})
    page = (
        "before\n<!-- begin table -->\nyesterday\n<!-- end table -->\n"
        "<!-- begin knee -->\n<!-- end knee -->\nwords\n<!-- begin sizing -->\n<!-- end sizing -->\nafter\n"
    )
    (tmp_path / "performance.md").write_text(page)
    (tmp_path / "pictures").mkdir()
    shown = tmp_path / "pictures" / "growth-relay-time-one-talker.svg"
    shown.write_text("old")
    docs.write(tmp_path, measured(runs), done, "make bench")
    written = (tmp_path / "performance.md").read_text()
    assert "yesterday" not in written
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert "`make bench` on " in written
    assert "| 100 | 5,000 | 99.99 % | 10 % | 1.0 ms | 3.0 ms |" in written
    # 0.827 s less 500 phones for 10 s at 100 µs and 9,000 packets at 3 µs: 0.3 s for 1,000 packets of talkers.
    assert docs.prices(runs) == docs.Prices(100.0, 3.0, pytest.approx(300.0))
    assert "core ≈ 0.00010 · P + 0.0075 · G + 0.00007 · L + 0.05" in written
    assert [each.name for each in (tmp_path / "pictures").iterdir()] == [shown.name], "the page shows no other"
    assert ET.fromstring(shown.read_text()) is not None


def test_a_page_without_marks_and_a_missing_run_are_told() -> None:
    with pytest.raises(docs.NotMarked):
        docs.between("nothing", "table", "")
    assert docs.sizing({}) == "Not measured: idle.\n"


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
