"""Two pages in one group: press, grant, speech, release; measured as figures.md defines it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import SPEECH
from tests.browser.figures import measured, private_access, spread, talk
from tests.support.chromium import chromium
from tests.support.city import City
from tests.support.officer import Officer
from tests.support.priority import first

pytestmark = [pytest.mark.browser, pytest.mark.measured]

PRESSES = 20
HOLD_MS = 2_500
PAUSE_MS = 700
PRIVATE_CALLS = 10


def test_what_is_said_on_one_page_is_heard_on_the_other(playwright: Playwright, city: City, build_folder: Path) -> None:
    with (
        chromium(playwright, SPEECH / "zh-report.wav", before=first()) as mouth,
        chromium(playwright, before=first()) as ear,
    ):
        talker, listener = Officer(mouth, city, "BJ-001"), Officer(ear, city, "BJ-002")
        talker.select("滨江巡查组")
        listener.select("滨江巡查组")
        talker.record("said")
        listener.record("heard")
        talk(talker, PRESSES, HOLD_MS, PAUSE_MS)
        figures = measured(talker, listener)
        figures["private_call_access_ms"] = spread(private_access(talker, listener, PRIVATE_CALLS))
    (build_folder / "e2e.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    assert not talker.problems
    assert not listener.problems
    assert figures["presses"] == PRESSES
    # How fast is `make e2e`'s to say, against the bars: here, that what is heard is what was said.
    assert figures["correlation"]["median"] > 0.9
    assert figures["stoi"] > 0.95
