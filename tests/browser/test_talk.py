"""Two pages and an independent client in one group: press, grant, speech, release; the pages measured on one clock."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from codec.wav import read_wav
from tests.browser.conftest import SPEECH
from tests.browser.figures import measured, private_access, spread, talk
from tests.browser.hearing import RATE, Samples, delay_ms, windows
from tests.support.chromium import chromium
from tests.support.city import City
from tests.support.independent import Independent, independent
from tests.support.officer import Officer
from tests.support.priority import first

pytestmark = [pytest.mark.browser, pytest.mark.measured]

GROUP = "滨江巡查组"
PRESSES = 20
HOLD_MS = 2_500
PAUSE_MS = 700
PRIVATE_CALLS = 10
SETTLED_MS = 1_000
"""A page that has just come is sent silence for so long, by which its jitter buffer learns the path (decision 0018)."""


def test_what_is_said_on_one_page_is_heard_on_the_other(playwright: Playwright, city: City, build_folder: Path) -> None:
    with (
        chromium(playwright, SPEECH / "zh-report.wav", before=first()) as mouth,
        chromium(playwright, before=first()) as ear,
    ):
        talker, listener = Officer(mouth, city, "BJ-001"), Officer(ear, city, "BJ-002")
        talker.select(GROUP)
        listener.select(GROUP)
        talker.record("said")
        listener.record("heard")
        listener.page.wait_for_timeout(SETTLED_MS)
        talk(talker, PRESSES, HOLD_MS, PAUSE_MS)
        figures = measured(talker, listener)
        with independent(city, "BJ-003", read_wav(SPEECH / "en-order.wav")) as third:
            third.select(GROUP)
            assert heard_by_aiortc(talker, third) > 0.8
            talker.record("heard")
            for each in heard_from_aiortc(third, talker, listener):
                assert each > 0.8
        figures["private_call_access_ms"] = spread(private_access(talker, listener, PRIVATE_CALLS))
    (build_folder / "e2e.json").write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    assert not talker.problems
    assert not listener.problems
    assert figures["presses"] == PRESSES
    # How fast is `make e2e`'s to say, against the bars: here, that what is heard is what was said.
    assert figures["correlation"]["median"] > 0.9
    assert figures["stoi"] > 0.95


def heard_by_aiortc(talker: Officer, third: Independent) -> float:
    """How well the independent client hears a press of the page."""
    grants, releases = (len(talker.events(name)) for name in ("floor_granted", "floor_release"))
    talker.key_down()
    talker.wait_for("floor_granted", grants + 1)
    talker.page.wait_for_timeout(HOLD_MS)
    talker.key_up()
    talker.wait_for("floor_release", releases + 1)
    talker.page.wait_for_timeout(PAUSE_MS)
    down, silent = (talker.events(name)[-1]["t"] for name in ("pointerdown", "mic_silent"))
    return correlation(talker.taken("said").between(down, silent), third.heard())


def heard_from_aiortc(third: Independent, *pages: Officer) -> list[float]:
    """How well each page hears a press of the independent client."""
    began = pages[0].page.evaluate("performance.timeOrigin + performance.now()")
    third.press(GROUP)
    pages[0].page.wait_for_timeout(HOLD_MS)
    third.release(GROUP)
    for page in pages:
        page.face("idle")
    ended = pages[0].page.evaluate("performance.timeOrigin + performance.now()")
    said = third.microphone.samples[: RATE * HOLD_MS // 1000].astype(float)
    return [correlation(said, page.taken("heard").between(began, ended)) for page in pages]


def correlation(said: Samples, heard: Samples) -> float:
    """The waveform correlation of the best half second, wherever in ``heard`` it stands.

    Another's sound, or none, is far from it in each; how much a busy machine stretched the others is not asked here.
    """
    late = round(delay_ms(said, heard) * RATE / 1000)
    return max(window.correlation for window in windows(said, heard[late:], 0.5))
