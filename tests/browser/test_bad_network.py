"""Through a bad street — 80 ms round trip, 30 ms jitter, 2 % loss each way — the standard's KPIs hold.

The server is in one namespace, both browsers in another, the street between them; no flag lets them off the network.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import SPEECH
from tests.browser.figures import measured, talk
from tests.support.chromium import AUTOPLAY, chromium, trusted
from tests.support.city import running_city
from tests.support.netns import Street, city_and_street
from tests.support.officer import Officer
from tests.support.priority import first

pytestmark = [pytest.mark.browser, pytest.mark.measured]

PRESSES = 20
HOLD_MS = 1_500
PAUSE_MS = 500
GROUP = "滨江巡查组"


def test_every_press_gets_through_a_bad_street(playwright: Playwright, tmp_path: Path, build_folder: Path) -> None:
    with (
        city_and_street(Street(rtt_ms=80, jitter_ms=30, loss=0.02)) as (downtown, street, carried),
        running_city(tmp_path / "city", inside=downtown, first=True) as city,
        chromium(playwright, SPEECH / "zh-report.wav", (*AUTOPLAY, *trusted(city.url)), street, first()) as mouth,
        chromium(playwright, None, (*AUTOPLAY, *trusted(city.url)), street, first()) as ear,
    ):
        talker, listener = Officer(mouth, city, "BJ-001"), Officer(ear, city, "BJ-002")
        for officer in (talker, listener):
            officer.select(GROUP)
        talker.record("said")
        listener.record("heard")
        talk(talker, PRESSES, HOLD_MS, PAUSE_MS)
        figures = measured(talker, listener)
        recovered = city.metric("poc_media_voice_recovered_total")
    lost = carried.to_city["lost"] / (carried.to_city["lost"] + carried.to_city["carried"])
    figures["street"] = {"rtt_ms": 80, "jitter_ms": 30, "loss": round(lost, 4)}
    (build_folder / "bad-network.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    assert not talker.problems
    assert not listener.problems
    # Whether KPI 1 and 3 hold is `make e2e`'s to say: here, that every press gets through a street like this one.
    assert figures["presses"] == PRESSES
    assert figures["correlation"]["median"] > 0.5
    assert recovered > 0, "the page sends each frame twice once the server misses some"
