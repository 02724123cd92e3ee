"""One key, and everyone knows: an officer in trouble, over a talker, heard and claimed at a real console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright, ViewportSize, expect

from tests.browser.conftest import SPEECH
from tests.browser.figures import spread
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.console import Console
from tests.support.officer import KEEP_MICROPHONE, Officer

pytestmark = pytest.mark.browser
GROUP = "滨江巡查组"
AGAIN_MS = 500
SMALL_DESK: ViewportSize = {"width": 1280, "height": 640}
SMALLEST: ViewportSize = {"width": 360, "height": 560}
VOICE_AFTER_MS: list[float] = []
"""From each SOS that went out to the first voice at a console."""
SHAKEN = KEEP_MICROPHONE + "window.shaken = 0; navigator.vibrate = () => { window.shaken += 1; return true; };"
WAYS = (
    SHAKEN
    + """
window.ways = {socket: [], https: []};
window.shut = [];
const told = (way, text) => {
    const {alert, pressed_ms} = JSON.parse(text);
    window.ways[way].push({alert, pressed_ms, at: performance.now()});
    return window.shut.includes(way);
};
const send = WebSocket.prototype.send;
WebSocket.prototype.send = function (data) {
    const sos = typeof data === 'string' && JSON.parse(data).type === 'sos';
    if (!sos || !told('socket', data)) send.call(this, data);
};
const ask = window.fetch;
window.fetch = (url, options) => String(url).endsWith('/api/v1/alerts') && told('https', options.body)
    ? Promise.reject(new TypeError('no way')) : ask(url, options);
"""
)
"""Each SOS that leaves the page, by which way; and a way may be shut."""


@pytest.fixture(scope="module")
def counting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city whose SOS key counts down, and whose open microphone is short."""
    env = {
        "POC_EMERGENCY__HOLD_MS": "1500",
        "POC_EMERGENCY__COUNTDOWN_MS": "3000",
        "POC_EMERGENCY__MICROPHONE_MS": "4000",
    }
    with running_city(tmp_path_factory.mktemp("sos") / "city", env=env, first=True) as made:
        yield made


def press_sos(officer: Officer) -> None:
    key = officer.page.locator(".sos-key").bounding_box()
    assert key is not None
    officer.page.mouse.move(key["x"] + key["width"] / 2, key["y"] + key["height"] / 2)
    officer.page.mouse.down()


def hold_sos(officer: Officer, *, by_keyboard: bool = False) -> float:
    """Hold the key until it goes out; returns when that was, ms since the epoch."""
    before = len(officer.events("sos_pressed"))
    if by_keyboard:
        officer.page.keyboard.press("Tab")
        officer.page.locator(".sos-key").focus()
        officer.page.keyboard.down("Enter")
    else:
        press_sos(officer)
    officer.wait_for("sos_pressed", before + 1, 20_000)
    if by_keyboard:
        officer.page.keyboard.up("Enter")
    else:
        officer.page.mouse.up()
    return float(officer.events("sos_pressed")[-1]["t"])


def tell_figure(build_folder: Path) -> None:
    figure = {"sos_to_first_voice_ms": spread(VOICE_AFTER_MS) | {"samples": len(VOICE_AFTER_MS)}}
    (build_folder / "sos.json").write_text(json.dumps(figure) + "\n")
    print("SOS to first voice at the dispatcher:", figure)


def test_an_officer_in_trouble_is_heard_over_a_talker_seen_and_claimed_by_one(
    playwright: Playwright, counting: City, build_folder: Path
) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as phones, chromium(playwright) as desks:
        one, two = Console(desks, counting, "PQ-001"), Console(desks, counting, "PQ-002")
        talker, officer = Officer(phones, counting, "BJ-002"), Officer(phones, counting, "BJ-001", init=SHAKEN)
        talker.select(GROUP)
        officer.select(GROUP)

        # Let go too early, or taken back while it counts down, nothing leaves the phone.
        press_sos(officer)
        officer.page.mouse.up()
        expect(officer.page.locator('.sos[data-state="quiet"]')).to_be_visible()
        press_sos(officer)
        expect(officer.page.locator('.sos[data-state="counting"] .sos-word')).to_contain_text("秒后发出")
        officer.page.mouse.up()
        officer.page.locator(".sos-word button").click()
        expect(officer.page.locator('.sos[data-state="quiet"]')).to_be_visible()

        talker.key_down()
        talker.wait_for("floor_granted", 1)
        pressed = hold_sos(officer)
        officer.wait_for("sos_confirmed", 1, 10_000)
        heard = one.first_voice_of(officer.user["id"])
        VOICE_AFTER_MS.append(heard - pressed)
        tell_figure(build_folder)
        assert len(officer.events("sos_pressed")) == 1, "what was taken back was never sent"

        for console in (one, two):
            expect(console.page.locator(".alert")).to_have_count(1)
            spoken = console.page.locator(".alert").get_by_role("alert").first  # by a screen reader
            expect(spoken).to_contain_text("警情")
            expect(spoken).to_contain_text(officer.user["name"])
            expect(console.page.locator(".alert")).to_contain_text(GROUP)
        one.page.locator(".alert button.primary").click()
        expect(two.page.locator(".alert")).to_contain_text("已接警")
        expect(two.page.locator(".alert button.primary")).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_contain_text(one.user["name"])
        shaken = officer.page.evaluate("window.shaken")
        one.page.locator(".alert button.primary").click()  # tell him that he is heard
        expect(officer.page.locator(".sos-word")).to_contain_text("已知晓")
        officer.page.wait_for_function("before => window.shaken > before", arg=shaken)  # he feels it, too

        # The microphone that opened by itself closes by itself; then the key works as usual, over the talker again.
        officer.wait_for("floor_release", 1, 15_000)
        talker.key_up()
        talker.key_down()
        talker.wait_for("floor_granted", 2)
        officer.key_down()
        officer.wait_for("floor_granted", 2)
        officer.key_up()
        talker.key_up()

        for _ in range(2):  # resolved, and asked once more
            one.page.locator(".alert .acts button").first.click()
        expect(one.page.locator(".alert")).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_have_count(0)
        assert not [problem for each in (one, two, talker, officer) for problem in each.problems]


def test_either_way_carries_it_and_until_one_has_the_page_says_not_sent(
    playwright: Playwright, counting: City, build_folder: Path
) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as browser:
        desk, officer = Console(browser, counting, "PQ-001"), Officer(browser, counting, "BJ-003", init=WAYS)
        officer.select(GROUP)
        for number, shut in enumerate(("https", "socket")):
            officer.page.evaluate("way => { window.shut = [way]; }", shut)
            pressed = hold_sos(officer, by_keyboard=shut == "socket")
            officer.wait_for("sos_confirmed", number + 1, 15_000)
            VOICE_AFTER_MS.append(desk.first_voice_of(officer.user["id"], after=pressed) - pressed)
            expect(desk.page.locator(".alert")).to_contain_text(officer.user["name"])
            assert all(sent_by(officer, way, number) for way in ("https", "socket")), "it goes out by both"
            officer.wait_for("floor_release", number + 1, 15_000)
            officer.take_back_sos()
            expect(desk.page.locator(".alert")).to_have_count(0)
            expect(officer.page.locator('.sos[data-state="quiet"]')).to_be_visible()

        tell_figure(build_folder)
        officer.page.evaluate("() => { window.shut = []; window.shaken = 0; }")
        officer.context.set_offline(True)
        hold_sos(officer)
        word = officer.page.locator('.sos[data-state="not_sent"] .sos-word')
        expect(word.locator("strong")).to_have_text("未发出")
        expect(word).to_have_attribute("role", "alert")
        expect(word.locator("a")).to_have_attribute("href", "tel:110")
        officer.page.set_viewport_size(SMALLEST)
        call = word.locator("a").bounding_box()
        assert call is not None
        assert call["y"] + call["height"] <= SMALLEST["height"], "none of it is cut off"
        expect(word.get_by_role("button")).to_have_text("撤销")
        officer.page.wait_for_function("window.ways.https.length >= 6")
        assert officer.page.evaluate("window.shaken") > 3
        tries = sent_by(officer, "https", 2)
        assert len({(each["alert"], each["pressed_ms"]) for each in tries}) == 1, "one alert, one time of the press"
        assert all(after["at"] - before["at"] > AGAIN_MS * 0.9 for before, after in pairwise(tries))
        # The page that pressed dies with it unsent: the next one sends it, the same press of the same time.
        officer.page.evaluate("() => { window.shut = ['https', 'socket']; }")
        officer.context.set_offline(False)
        officer.page.reload()
        officer.wait_for("sos_confirmed", 1, 30_000)
        assert not officer.events("sos_pressed")
        expect(desk.page.locator(".alert")).to_have_count(1)
        token = desk.page.evaluate("JSON.parse(sessionStorage.getItem('poc.account')).access")
        [newest, *_] = counting.get("/api/v1/alerts", token)["alerts"]
        assert (newest["record"]["id"], newest["record"]["pressed_at"]) == (tries[0]["alert"], tries[0]["pressed_ms"])
        sent = len(officer.page.evaluate("window.ways.https"))
        officer.wait_for("floor_release", 1, 15_000)
        assert len(officer.page.evaluate("window.ways.https")) == sent, "confirmed it is sent no more"
        officer.take_back_sos()
        expect(desk.page.locator(".alert")).to_have_count(0)


def sent_by(officer: Officer, way: str, number: int) -> list[dict[str, Any]]:
    """What left the page by this way for the press of this number."""
    alert = officer.events("sos_pressed")[number]["alert"]
    return [each for each in officer.page.evaluate(f"window.ways.{way}") if each["alert"] == alert]


def test_a_covert_sos_shows_and_sounds_nothing(playwright: Playwright, tmp_path: Path) -> None:
    env = {"POC_EMERGENCY__COVERT": "true", "POC_EMERGENCY__HOLD_MS": "300"}
    with (
        running_city(tmp_path / "covert", env=env) as city,
        chromium(playwright, SPEECH / "zh-emergency.wav") as browser,
    ):
        desk, officer = Console(browser, city, "PQ-001"), Officer(browser, city, "BJ-001", init=SHAKEN)
        officer.select(GROUP)
        officer.page.wait_for_timeout(1_000)  # what a touch changes by itself is over
        tones, before = len(officer.events("tone")), officer.page.locator("main").inner_html()
        hold_sos(officer)
        expect(desk.page.locator(".alert")).to_contain_text("静默报警")
        desk.page.set_viewport_size(SMALL_DESK)
        expect(desk.page.locator(".passing .channel")).to_be_visible()
        takes, queue = (desk.page.locator(each).bounding_box() for each in (".alert button.primary", "section.alerts"))
        assert takes is not None
        assert queue is not None
        assert takes["y"] + takes["height"] <= queue["y"] + queue["height"], "it can be taken without scrolling"
        phone = Officer(browser, city, "PQ-001")  # his second device is told, rings, and knows who took it
        expect(phone.page.locator(".alert-list .alert")).to_contain_text(officer.user["name"])
        phone.page.wait_for_function("document.title.includes('警情')")
        phone.page.locator(".alert-list button.primary").click()
        expect(desk.page.locator(".alert")).to_contain_text("已接警")
        phone.page.wait_for_function("!document.title.includes('警情')")
        assert desk.first_voice_of(officer.user["id"])
        # Neither does a second page of his, which learns of it only now.
        second = Officer(browser, city, "BJ-001", init=SHAKEN)
        second.select(GROUP)
        expect(second.page.locator('.sos[data-state="quiet"]')).to_be_visible()
        expect(second.page.locator(".sos-word, .alert, .affairs .brought")).to_have_count(0)
        assert second.page.evaluate("window.shaken") == 0
        assert officer.page.locator("main").inner_html() == before
        assert (len(officer.events("tone")), officer.page.evaluate("window.shaken")) == (tones, 0)
