"""At the desk: an alarm that no switch silences, the last words again, a false alarm, who answers a roll call."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import SPEECH
from tests.support.chromium import chromium
from tests.support.city import City
from tests.support.console import Console
from tests.support.officer import Officer
from tests.support.once import once

pytestmark = pytest.mark.browser
GROUP = "滨江巡查组"
LOUD = 0.1
PLACE_AGE_S = 5
LISTEN = """
window.sounds = [];
window.Audio = class extends window.Audio { constructor(...a) { super(...a); window.sounds.push(this); } };
window.taps = [];
const connect = AudioNode.prototype.connect;
AudioNode.prototype.connect = function (to, ...rest) {
    if (to instanceof AudioDestinationNode) {
        const tap = new AnalyserNode(this.context, {fftSize: 2048});
        connect.call(this, tap);
        window.taps.push(tap);
    }
    return connect.call(this, to, ...rest);
};
window.loudest = async (ms) => {
    const samples = new Float32Array(2048);
    let peak = 0;
    for (const end = performance.now() + ms; performance.now() < end; ) {
        for (const tap of window.taps.filter(({context}) => context.state === 'running')) {
            tap.getFloatTimeDomainData(samples);
            for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
        }
        await new Promise((done) => setTimeout(done, 20));
    }
    return peak;
};
"""
"""What this page gives to the loudspeaker by Web Audio, and every element that sounds."""


def alarm(page: Page) -> float:
    """The loudest sample within two beats of the alarm."""
    return float(page.evaluate("window.loudest(2600)"))


def test_an_alarm_is_heard_whatever_is_muted_until_it_is_claimed_and_a_false_one_is_closed(
    playwright: Playwright, city: City
) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as browser:
        desk, officer = Console(browser, city, "PQ-001", init=LISTEN), Officer(browser, city, "BJ-001")
        officer.select(GROUP)
        # Imminent peril: declared with a second touch, seen at the desk, taken back by who declared it.
        drawer, channel = officer.page.locator(".drawer"), desk.channel(GROUP)
        peril = drawer.locator("button.peril")
        officer.page.locator("button.group").click()
        peril.dblclick()  # a finger that trembles declares nothing
        expect(peril).to_have_text("再点一次确认")
        peril.click()
        expect(peril).to_have_text("解除险情")
        expect(channel).to_have_attribute("data-tier", "1")
        peril.click()
        expect(peril).to_have_text("宣布险情")
        expect(channel).to_have_attribute("data-tier", "0")
        drawer.locator(".drawer-head button").click()

        officer.key_down()  # the last words before the alert
        officer.wait_for("floor_granted", 1)
        desk.first_voice_of(officer.user["id"])
        officer.key_up()
        officer.wait_for("floor_release", 1)

        # Everything a dispatcher can switch off is off, and more: channels muted, faders down, every element silent.
        mutes = desk.page.get_by_role("button", name="静音").all()
        assert len(mutes) == desk.page.locator(".channel").count() > 0
        for mute in mutes:
            mute.click()
        for fader in desk.page.locator(".channel input[type=range]").all():
            fader.fill("0")
        desk.page.evaluate("window.sounds.forEach((sound) => { sound.muted = true; sound.volume = 0; })")
        token = officer.page.evaluate("JSON.parse(sessionStorage.getItem('poc.account')).access")
        seen_ms = time.time_ns() // 1_000_000 - PLACE_AGE_S * 1_000
        place = {"longitude": 114.31, "latitude": 30.59, "at_ms": seen_ms}
        late = {"alert": "desk", "pressed_ms": seen_ms - 90_000, "battery": 41, "place": place}
        city.post("/api/v1/alerts", late, token)
        alert = desk.page.locator(".alert")
        expect(alert.locator(".late")).to_contain_text(re.compile(r"按下，1:\d\d 后才送达"))
        expect(alert).to_contain_text(officer.user["name"])
        expect(alert).to_contain_text("电量 41%")
        words = alert.locator(".facts").inner_text()
        age = re.search(r"114\.31000, 30\.59000（(\d+) 秒前）", words)
        assert age is not None, words
        assert int(age[1]) >= PLACE_AGE_S, "a place says how old it was when he pressed"
        assert alarm(desk.page) > LOUD
        desk.page.wait_for_function("document.title.includes('警情')")

        alert.locator("button.primary").click()
        expect(alert).to_contain_text("已接警")
        assert alarm(desk.page) < LOUD, "claimed it is silent"

        # What he said last, again on one key.
        [raised, *_] = city.get("/api/v1/alerts", token_of(desk.page))["alerts"]
        until_recorded(desk, city, raised["record"]["group"])
        played = len(desk.page.evaluate("window.sounds.filter((sound) => sound.currentTime > 0).map(() => 1)"))
        alert.locator(".say-again").click()
        desk.page.wait_for_function(
            "before => window.sounds.filter((sound) => sound.currentTime > 0).length > before", arg=played
        )

        alert.locator("input.note").fill("误按")
        false_alarm = alert.get_by_role("button", name="误报")
        false_alarm.click()
        expect(false_alarm).to_have_text("再按一次：误报")
        false_alarm.click()
        expect(alert).to_have_count(0)
        expect(officer.page.locator(".sos-word")).to_have_count(0)
        [newest, *_] = city.get("/api/v1/alerts", token_of(desk.page))["alerts"]
        assert (newest["record"]["state"], newest["record"]["note"]) == ("false_alarm", "误按")
        assert steps(city, "desk") == ["alert.false_alarm", "alert.claim", "alert.raise"]
        assert not [*desk.problems, *officer.problems]


def test_a_roll_call_lists_who_answered_and_who_has_not(playwright: Playwright, city: City) -> None:
    with chromium(playwright) as browser:
        leader = Officer(browser, city, "LD-001", page="leader")
        leader.page.set_viewport_size({"width": 1440, "height": 900})
        here, silent = Officer(browser, city, "BJ-001"), Officer(browser, city, "BJ-002")
        away = next(each for each in city.get("/api/v1/demo/people") if each["badge"] == "BJ-003")
        leader.page.locator('[data-tab="people"]').click()
        for badge in ("BJ-001", "BJ-002", "BJ-003"):
            leader.page.locator(".persons button", has_text=badge).click()
        for word in ("紧急", "演练"):
            leader.page.get_by_label(word, exact=True).check()
        leader.page.locator("button.roll-call").click()
        expect(silent.page.locator(".affairs .message")).to_contain_text("点名")
        # What is practised never sounds like what is meant, however urgent it is.
        expect(silent.page.locator('.affairs .message[data-tier="0"] em')).to_have_text("【演练】")
        assert {each["tone"] for each in silent.events("tone")} == {"incoming"}
        here.page.locator(".affairs .message button", has_text="到").click()
        expect(here.page.locator(".affairs .message")).to_have_count(0)

        leader.page.locator(".tallies button", has_text="报告").click()
        rows = leader.page.locator(".report tbody tr")
        expect(rows).to_have_count(3)
        for person, state in ((here.user, "acknowledged"), (silent.user, "delivered"), (away, "waiting")):
            row = leader.page.locator(f'.report tr[data-receipt="{state}"]')
            expect(row).to_have_count(1)
            expect(row).to_contain_text(person["name"])
        expect(rows.first).to_contain_text(away["name"])  # who was not reached stands first
        leader.page.get_by_role("button", name="撤回").click()
        expect(silent.page.locator(".affairs .message")).to_have_count(0)
        missed = leader.page.locator('.report tr[data-receipt="missed"]')
        expect(missed).to_contain_text(away["name"])
        expect(missed).to_contain_text("未收到")
        assert not [problem for each in (leader, here, silent) for problem in each.problems]


def until_recorded(desk: Console, city: City, group: str) -> None:
    """Until what was said there can be played: it is made in another process."""
    once(desk.page, "recording", lambda: any(each["audio"] for each in recordings(desk, city, group)))


def recordings(desk: Console, city: City, group: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = city.get(f"/api/v1/recordings?group={group}", token_of(desk.page))["recordings"]
    return found


def token_of(page: Page) -> str:
    return str(page.evaluate("JSON.parse(sessionStorage.getItem('poc.account')).access"))


def steps(city: City, alert: str) -> list[str]:
    """What the audit says of an alert, the newest first."""
    auditor = next(each for each in city.get("/api/v1/demo/people") if each["badge"] == "SJ-001")
    token = city.post(f"/api/v1/demo/people/{auditor['id']}/step-in")["access_token"]
    return [each["action"] for each in city.get(f"/api/v1/audit?target={alert}", token)["items"]]
