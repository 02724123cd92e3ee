"""One key, and everyone knows: an officer in trouble, over a talker, heard and claimed at a real console."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.conftest import SPEECH
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.officer import KEEP_MICROPHONE, Officer

pytestmark = pytest.mark.browser

SHAKEN = KEEP_MICROPHONE + "window.shaken = 0; navigator.vibrate = () => { window.shaken += 1; return true; };"


def hold_sos(officer: Officer) -> None:
    """Hold the key for as long as it wants."""
    key = officer.page.locator(".sos-key").bounding_box()
    assert key is not None
    officer.page.mouse.move(key["x"] + key["width"] / 2, key["y"] + key["height"] / 2)
    before = len(officer.events("sos_pressed"))
    officer.page.mouse.down()
    officer.wait_for("sos_pressed", before + 1, 10_000)
    officer.page.mouse.up()


class Console:
    """A dispatcher's console."""

    def __init__(self, browser: Browser, city: City, badge: str) -> None:
        user = next(p for p in city.get("/api/v1/demo/people") if p["badge"] == badge)
        context = browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=True)
        self.page = context.new_page()
        self.page.goto(f"{city.url}/console?as={user['id']}")
        self.page.wait_for_function(
            "window.__poc && window.__poc.events.some(e => e.name === 'media' && e.state === 'connected')"
        )

    def first_voice_of(self, user: str) -> float:
        """When the first packet of this talker was played here, ms since the epoch."""
        found = self.page.wait_for_function(
            """user => {
                const slot = window.__poc.events.find(e => e.name === 'slot' && e.by?.id === user);
                const voice = slot && window.__poc.events.find(e => e.name === 'first_voice' && e.burst === slot.burst);
                return voice && voice.at + performance.timeOrigin;
            }""",
            arg=user,
        )
        return float(found.json_value())


def test_an_officer_in_trouble_is_heard_over_a_talker_seen_and_claimed_by_one(
    playwright: Playwright, city: City, build_folder: Path
) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as phones, chromium(playwright) as desks:
        first, second = Console(desks, city, "PQ-001"), Console(desks, city, "PQ-002")
        talker, officer = Officer(phones, city, "BJ-002"), Officer(phones, city, "BJ-001", init=SHAKEN)
        talker.select("滨江巡查组")
        officer.select("滨江巡查组")
        talker.key_down()
        talker.wait_for("floor_granted", 1)

        hold_sos(officer)
        officer.wait_for("sos_confirmed", 1, 10_000)

        pressed = officer.events("sos_pressed")[0]["t"]
        heard = first.first_voice_of(officer.user["id"])
        (build_folder / "sos.json").write_text(json.dumps({"sos_to_first_voice_ms": round(heard - pressed, 1)}) + "\n")
        print(f"SOS to first voice at the dispatcher: {heard - pressed:.0f} ms")

        for console in (first, second):
            expect(console.page.locator(".alert")).to_contain_text(officer.user["name"])
            expect(console.page.locator(".alert")).to_contain_text("滨江巡查组")
        first.page.locator(".alert button.primary").click()
        expect(second.page.locator(".alert")).to_contain_text("已接警")
        expect(second.page.locator(".alert button.primary")).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_be_visible()
        first.page.locator(".alert button.primary").click()  # tell him that he is heard
        first.page.locator(".alert .acts button").first.click()  # resolved
        expect(first.page.locator(".alert")).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_have_count(0)
        talker.key_up()

        # Without network the page says so until it is confirmed, and offers the telephone.
        officer.context.set_offline(True)
        hold_sos(officer)
        word = officer.page.locator('.sos[data-state="not_sent"] .sos-word')
        expect(word.locator("strong")).to_have_text("未发出")
        expect(word.locator("a")).to_have_attribute("href", "tel:110")
        assert officer.page.evaluate("window.shaken") > 2
        officer.context.set_offline(False)
        officer.wait_for("sos_confirmed", 2, 30_000)
        expect(second.page.locator(".alert")).to_contain_text(officer.user["name"])


def test_a_covert_sos_shows_and_sounds_nothing(playwright: Playwright, tmp_path: Path) -> None:
    env = {"POC_EMERGENCY__COVERT": "true", "POC_EMERGENCY__HOLD_MS": "300"}
    with (
        running_city(tmp_path / "covert", env=env) as city,
        chromium(playwright, SPEECH / "zh-emergency.wav") as browser,
    ):
        desk, officer = Console(browser, city, "PQ-001"), Officer(browser, city, "BJ-001", init=SHAKEN)
        officer.select("滨江巡查组")
        officer.page.wait_for_timeout(1_000)  # what a touch changes by itself is over
        tones, before = len(officer.events("tone")), officer.page.locator("main").inner_html()
        hold_sos(officer)
        expect(desk.page.locator(".alert")).to_contain_text("静默报警")
        phone = Officer(browser, city, "PQ-001")  # his second device is told, rings, and knows who took it
        expect(phone.page.locator(".alert-list .alert")).to_contain_text(officer.user["name"])
        phone.page.wait_for_function("document.title.includes('警情')")
        phone.page.locator(".alert-list button.primary").click()
        expect(desk.page.locator(".alert")).to_contain_text("已接警")
        phone.page.wait_for_function("!document.title.includes('警情')")
        assert desk.first_voice_of(officer.user["id"])
        assert officer.page.locator("main").inner_html() == before
        assert (len(officer.events("tone")), officer.page.evaluate("window.shaken")) == (tones, 0)
