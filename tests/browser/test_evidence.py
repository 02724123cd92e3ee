"""Nothing said is lost, as an officer sees it: what he missed, a burst from its start, a photo without a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.conftest import SPEECH
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.officer import Officer
from tests.support.priority import first

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
NO_OGG = """
const can = HTMLMediaElement.prototype.canPlayType;
HTMLMediaElement.prototype.canPlayType = function (type) { return type.includes('ogg') ? '' : can.call(this, type); };
"""
"""As iOS was before 18.4."""
PICTURE = """() => { const c = new OffscreenCanvas(800, 600); c.getContext('2d').fillRect(0, 0, 400, 300);
    return c.convertToBlob({type: 'image/jpeg'}).then(b => b.arrayBuffer()).then(b => [...new Uint8Array(b)]); }"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("evidence") / "city", before=first()) as running:
        yield running


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright, SPEECH / "zh-report.wav") as found:
        yield found


def say(officer: Officer, ms: int) -> None:
    officer.key_down()
    officer.face("talking", WAIT_MS)
    officer.page.wait_for_timeout(ms)  # how long he speaks
    officer.key_up()
    officer.face("idle", WAIT_MS)


def shown(page: Page, name: str) -> None:
    """Keeps a picture where one is wanted."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder, f"{name}.png"))


def test_what_was_missed_is_told_and_played_and_a_late_one_hears_from_the_start(city: City, browser: Browser) -> None:
    talker = Officer(browser, city, "DH-001")
    Officer(browser, city, "DH-003")  # nobody talks alone
    away = Officer(browser, city, "DH-002", init=NO_OGG)
    away.page.goto("about:blank")
    for _ in range(2):
        say(talker, 1_200)
    away.page.goto(f"{city.url}/talk?voice=raw&as={away.user['id']}")
    page = away.page
    page.locator(".missed").wait_for(timeout=WAIT_MS)
    expect(page.locator(".missed .words")).to_contain_text("2")
    expect(page.locator(".missed .words")).to_contain_text(talker.user["name"])
    shown(page, "missed")
    page.locator(".missed .rate").first.click()
    page.locator(".missed .rate").first.click()
    expect(page.locator(".missed .rate").first).to_have_text("2×")
    # As if it were more than the server lists at once: what follows is counted, and then heard as well.
    page.route("**/api/v1/missed?*", lambda route: route.continue_(url=f"{route.request.url}&limit=1"))
    fetched: list[int] = []
    page.on("response", lambda answer: fetched.append(answer.status) if "/audio?as=mp4" in answer.url else None)
    page.locator(".missed .play").click()
    expect(page.locator(".missed .words")).to_contain_text("其后还有 1 条")
    shown(page, "missed-more")
    page.locator(".missed").wait_for(state="detached", timeout=WAIT_MS)
    assert fetched == [200, 200]

    talker.key_down()
    talker.face("talking", WAIT_MS)
    talker.page.wait_for_timeout(2_000)  # what the late one did not hear
    page.reload()
    page.locator(".from-start").wait_for(timeout=WAIT_MS)
    page.locator(".from-start").click()
    page.locator(".from-start[aria-pressed=true]").wait_for(timeout=WAIT_MS)
    shown(page, "from-start")
    page.wait_for_function("window.__poc.events.some(e => e.name === 'caught_up')", timeout=WAIT_MS)
    talker.key_up()
    page.locator(".from-start").wait_for(state="detached", timeout=WAIT_MS)
    # Said again is what was said last, though it ended this moment and its file is still to be made.
    ended = talker.page.evaluate("window.__poc.events.findLast(e => e.name === 'floor_release').burst")
    with (
        page.expect_response(lambda answer: "/last-said" in answer.url) as again,
        page.expect_response(lambda answer: answer.url.endswith("/audio?as=mp4")) as voice,
    ):
        page.locator(".say-again").click()
    page.locator('.say-again[aria-pressed="true"]').wait_for(timeout=WAIT_MS)
    assert again.value.json()["burst"] == ended
    assert (voice.value.status, again.value.json()["id"] in voice.value.url) == (200, True)
    shown(page, "say-again")
    page.locator(".say-again").click()
    page.locator('.say-again[aria-pressed="false"]').wait_for(timeout=WAIT_MS)
    assert away.problems == []

    office = Officer(browser, city, "ZB-001", page="recordings", query="group=", connected=False)
    page = office.page
    page.locator(".strip li").nth(1).wait_for(timeout=WAIT_MS)
    expect(page.locator(".strip header").first).to_contain_text(talker.user["name"])
    shown(page, "recordings")
    page.locator(".strip header button").first.click()
    page.locator('.strip li[data-playing="true"]').first.wait_for(timeout=WAIT_MS)
    page.locator("summary").click()
    page.set_viewport_size({"width": 1440, "height": 900})
    shown(page, "recordings-wide")
    page.locator("input[name=shortest]").fill("1000")
    page.locator("button[type=submit]").click()
    page.locator(".strip").first.wait_for(state="detached", timeout=WAIT_MS)
    page.locator("input[name=shortest]").fill("")
    page.locator("input[name=area]").fill("1,2,3")
    page.locator("button[type=submit]").click()
    expect(page.locator(".word")).not_to_be_empty()
    assert office.problems == []


def test_a_photo_survives_a_closed_page_and_goes_when_there_is_a_network(city: City, browser: Browser) -> None:
    officer = Officer(browser, city, "DH-001")
    page = officer.page
    content = bytes(page.evaluate(PICTURE))
    page.route("**/api/v1/materials**", lambda route: route.abort())
    page.locator(".evidence-key").click()
    page.locator(".evidence textarea").fill("占道经营，已劝离")
    picture = {"name": "road.jpg", "mimeType": "image/jpeg", "buffer": content}
    page.locator(".evidence .primary input").set_input_files(picture)  # type: ignore[arg-type]
    page.locator(".on-the-way li", has_text="占道经营").wait_for(timeout=WAIT_MS)
    page.close()
    page = officer.context.new_page()
    page.goto(f"{city.url}/talk?voice=raw&as={officer.user['id']}")
    page.locator('.evidence-key[data-state="sent"]').wait_for(timeout=WAIT_MS)
    page.locator(".evidence-key").click()
    page.locator(".sent li button").click()
    page.wait_for_function("document.querySelector('.sent img')?.naturalWidth > 0", timeout=WAIT_MS)
    shown(page, "evidence")
