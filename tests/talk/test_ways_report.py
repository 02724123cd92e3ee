"""The report of who heard whom is whole, however the ways were shared out among processes."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

from tests.talk.ways_report import FIGURES, WAYS, WaysReport, missing


def _write(file: Path, ways: tuple[str, ...], figures: tuple[str, ...]) -> None:
    report = WaysReport()
    report.ways = {name: {"heard": {"us-1": {"us-2": 8}}, "wrong_people": {"us-3": 0}} for name in ways}
    for name in figures:
        report.figure(name, 1.0)
    report.write(file)


def test_each_process_adds_its_ways_to_those_of_the_others(tmp_path: Path) -> None:
    file = tmp_path / "build" / "calls.json"
    assert missing(file) == [*WAYS, *FIGURES]
    parts = [(file, WAYS[at::4], FIGURES[at::4]) for at in range(4)]
    processes = [get_context("fork").Process(target=_write, args=part) for part in parts]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert missing(file) == []


def test_a_way_in_which_a_wrong_person_got_a_packet_is_named(tmp_path: Path) -> None:
    file = tmp_path / "calls.json"
    _write(file, WAYS, FIGURES)
    report = WaysReport()
    report.ways = {WAYS[3]: {"heard": {}, "wrong_people": {"us-3": 1}}}
    report.write(file)
    assert missing(file) == [WAYS[3]]
