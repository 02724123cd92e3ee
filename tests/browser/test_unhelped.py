"""A browser as people have it: no flag lets it use the loopback or sound by itself; the server is on the network."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import SPEECH
from tests.browser.figures import talk
from tests.support.chromium import chromium, trusted
from tests.support.city import City, running_city
from tests.support.netns import Namespace, Street, city_and_street
from tests.support.officer import Officer

pytestmark = pytest.mark.browser

GROUP = "滨江巡查组"

TELLS_ITS_FACE = """
setInterval(() => console.log("face", document.querySelector("[data-obstacle]")?.dataset.obstacle), 100);
"""
"""A script that Playwright evaluates counts as a person's touch and unlocks the sound: the page must tell by itself."""


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[City, Namespace]]:
    with (
        city_and_street(Street()) as (downtown, street, _),
        running_city(tmp_path_factory.mktemp("unhelped") / "city", inside=downtown) as city,
    ):
        yield city, street


def test_one_who_never_touched_the_page_is_asked_to_and_then_hears(
    playwright: Playwright, places: tuple[City, Namespace]
) -> None:
    city, street = places
    with (
        chromium(playwright, SPEECH / "zh-report.wav", trusted(city.url), street) as mouth,
        # A page that may already capture may also sound: only a first visitor's is locked for certain.
        chromium(playwright, None, trusted(city.url), street, microphone_given=False) as ear,
    ):
        talker = Officer(mouth, city, "BJ-001")
        listener = Officer(ear, city, "BJ-002", init=TELLS_ITS_FACE, connected=False)
        listener.page.wait_for_event("console", lambda said: said.text == "face sound_locked")
        talker.page.mouse.click(180, 320)
        talker.select(GROUP)
        listener.page.mouse.click(180, 320)
        wait_for_face(listener, "microphone_ask")
        listener.context.grant_permissions(["microphone"], origin=city.url)
        listener.select(GROUP)
        talk(talker, presses=1, hold_ms=1_500, pause_ms=300)
        assert listener.events("first_voice")
        assert not talker.problems
        assert not listener.problems


def test_a_page_without_https_says_so(playwright: Playwright, places: tuple[City, Namespace]) -> None:
    city, street = places
    with chromium(playwright, None, (), street) as browser:
        wait_for_face(Officer(browser, city, "BJ-001", connected=False), "insecure")


def wait_for_face(officer: Officer, state: str) -> None:
    officer.page.wait_for_function(
        "state => window.__poc && window.__poc.events.some((e) => e.name === 'face' && e.state === state)", arg=state
    )
