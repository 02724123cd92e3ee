"""The fleet against a server it starts itself: the figures it prints are those the issue of the day asks for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loadtest.cli import app
from loadtest.server import STAFF
from tests.support.city import running_city

pytestmark = pytest.mark.wire
PERCENTILES = {"p50", "p95", "p99", "max", "count"}


def run(tmp_path: Path, *arguments: str) -> dict[str, Any]:
    figures, html = tmp_path / "figures.json", tmp_path / "report.html"
    done = CliRunner().invoke(app, [*arguments, "--no-first", "--json", str(figures), "--html", str(html)])
    assert done.exit_code == 0, done.output
    assert html.read_text().startswith("<!doctype html>")
    found: dict[str, Any] = json.loads(figures.read_text())
    return found


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, ...]]:
    """A server that runs already, for what needs none of its own."""
    links = tmp_path_factory.mktemp("serving") / "links"
    with running_city(links.parent / "data", "--people", str(40 + STAFF), "--links", str(links), nodes=1) as city:
        yield ("--url", f"ws://127.0.0.1:{city.port}/ws", "--links", str(links))


def test_talk(tmp_path: Path) -> None:
    found = run(tmp_path, "talk", "--phones", "24", "--groups", "3", "--seconds", "4", "--pause", "0.5", "--fixed")
    assert set(found) >= {
        "access_ms",
        "relay_ms",
        "late_entry_ms",
        "outcomes",
        "delivered",
        "lost",
        "double_talk",
        "server",
    }
    assert found["double_talk"] == 0
    assert (found["outcomes"]["failed"], found["outcomes"]["denied"]) == (0, 0)
    assert found["outcomes"]["immediate"] >= 3
    assert set(found["access_ms"]) == set(found["relay_ms"]) == set(found["late_entry_ms"]) == PERCENTILES
    assert found["access_ms"]["count"] >= 3
    assert found["delivered"] > 100
    assert found["lost"] == 0
    assert set(found["server"]) == {"cpu_s", "us_per_delivered", "rss_mb", "kb_per_phone"}
    assert found["server"]["cpu_s"] > 0


def test_talk_beside_a_crowd(tmp_path: Path) -> None:
    found = run(tmp_path, "talk", "--phones", "6", "--groups", "1", "--seconds", "2", "--pause", "0", "--crowd", "10")
    assert found["double_talk"] == 0
    assert found["delivered"] > 9 * 25


def test_fanout(tmp_path: Path, serving: tuple[str, ...]) -> None:
    found = run(tmp_path, "fanout", "--listeners", "20", "--seconds", "2", *serving)
    assert found["expected"] == found["sent"] * 20
    assert found["delivered"] == found["expected"]
    assert 95 <= found["sent"] <= 101
    assert found["cpu_s"] > 0


def test_storm(tmp_path: Path, serving: tuple[str, ...]) -> None:
    found = run(tmp_path, "storm", "--phones", "40", *serving)
    assert found["failed"] == 0
    assert 0 < found["ready_s"] < 30
    assert found["cpu_ms_per_phone"] > 0


def test_idle(tmp_path: Path) -> None:
    found = run(tmp_path, "idle", "--phones", "20", "--groups", "2", "--seconds", "1")
    assert found["kb_per_phone"] > 0
    assert found["cpu_percent"] >= 0


def test_data(tmp_path: Path, serving: tuple[str, ...]) -> None:
    per_hour = run(tmp_path, "data", "--seconds", "3", *serving)["bytes_per_hour"]
    assert 0 < per_hour["idle"] < per_hour["listening"]
    assert per_hour["talking"] > 25 * 3600 * 100


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.write_text('{"user":"u","token":"t","groups":["g"]}\n{"user":"v","token":"t","groups":["g"]}\n')
    done = CliRunner().invoke(app, ["data", "--url", "ws://127.0.0.1:1/ws", "--links", str(links)])
    assert done.exit_code == 1
    assert "nobody" in done.output or "no process" in done.output


def test_emergency(tmp_path: Path, serving: tuple[str, ...]) -> None:
    found = run(tmp_path, "emergency", "--phones", "40", "--alerts", "2", "--calls", "2", *serving)
    assert found["phones"] == 39
    assert set(found["sos_ms"]) == set(found["alert_ms"]) == set(found["voice_ms"]) == PERCENTILES
    assert (found["sos_ms"]["count"], found["alert_ms"]["count"], found["voice_ms"]["count"]) == (2, 2, 2)
    assert min(found["beside_ms"][when]["count"] for when in ("before", "during")) > 0


def test_incidents(tmp_path: Path) -> None:
    sizes = ("--phones", "12", "--groups", "2", "--seconds", "1", "--incidents", "20", "--members", "5")
    found = run(tmp_path, "incidents", *sizes, "--singles", "1")
    assert found["incidents"] == 20
    assert 0 < found["opened_s"] < 60
    assert found["told_ms"]["count"] == 1
    assert found["double_talk"] == 0
