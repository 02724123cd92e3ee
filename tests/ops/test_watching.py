"""What operators watch. That running nodes tell each metric it asks for: `tests.nodes.test_two_nodes`."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import yaml

from poc_server.media.counters import MediaCounters
from poc_server.node.readings import MEDIA

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
ALARMS = [rule for group in yaml.safe_load((DEPLOY / "alarms.yml").read_text())["groups"] for rule in group["rules"]]
_EXPRESSIONS = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
_EXPRESSIONS += [rule["expr"] for rule in ALARMS]
ASKED_FOR = {name for each in _EXPRESSIONS for name in re.findall(r"\b(?:poc|process)_\w+\b", each)}
"""Every metric that dashboard and alarms read."""


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
