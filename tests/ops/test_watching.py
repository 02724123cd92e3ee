"""What operators watch is there: each metric that dashboard and alarms ask for is told by a running server."""

from __future__ import annotations

import dataclasses
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from poc_server.media.counters import MediaCounters
from poc_server.readings import MEDIA
from tests.support.city import running_city

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
ALARMS = [rule for group in yaml.safe_load((DEPLOY / "alarms.yml").read_text())["groups"] for rule in group["rules"]]


def test_every_count_of_the_media_plane_is_told() -> None:
    assert set(MEDIA) == {field.name for field in dataclasses.fields(MediaCounters)} - {"connected"}


def test_panels_do_not_lie_on_each_other() -> None:
    cells: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        own = {(place["x"] + i, place["y"] + k) for i in range(place["w"]) for k in range(place["h"])}
        assert not own & cells
        assert place["x"] + place["w"] <= 24
        cells |= own


@pytest.mark.wire
def test_what_is_watched_is_told(tmp_path: Path) -> None:
    asked = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    asked += [rule["expr"] for rule in ALARMS]
    names = {name for expression in asked for name in re.findall(r"\b(?:poc|process)_\w+\b", expression)}
    with (
        running_city(tmp_path / "data", nodes=2) as city,
        urllib.request.urlopen(city.url + "/metrics", timeout=10) as answer,
    ):
        told = re.findall(r"^# TYPE (\w+) (\w+)$", answer.read().decode(), re.MULTILINE)
    known = {name for name, _ in told}
    known |= {f"{name}_{part}" for name, kind in told if kind == "histogram" for part in ("bucket", "count", "sum")}
    assert names - known == set()
