"""Every state of a receipt in real pages: only who could hear has heard; muted, suspended, frozen pages never have."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Playwright, expect

from tests.browser.conftest import SPEECH
from tests.support.chromium import chromium
from tests.support.city import City
from tests.support.officer import KEEP_MICROPHONE, Officer

pytestmark = pytest.mark.browser
WAIT_S = 30
TRIES = 4
"""A machine that is busy may conceal more than a fifth of a burst: then nobody has heard it, and it is said again."""
KEEP_SOUND = (
    KEEP_MICROPHONE
    + """
window.sounds = []; window.contexts = [];
window.Audio = class extends window.Audio { constructor(...a) { super(...a); window.sounds.push(this); } };
window.AudioContext = class extends window.AudioContext {
  constructor(...a) { super(...a); window.contexts.push(this); }
};
"""
)


def receipts(city: City, leader: Officer, broadcast: str) -> dict[str, str | None]:
    token = leader.page.evaluate("JSON.parse(sessionStorage.getItem('poc.account')).access")
    report: dict[str, Any] = city.get(f"/api/v1/broadcasts/{broadcast}", token)
    return {each["person"]["id"]: each["state"] for each in report["receipts"]}


def until(city: City, leader: Officer, broadcast: str, wanted: dict[str, str | None]) -> None:
    end = time.monotonic() + WAIT_S
    while (now := receipts(city, leader, broadcast)) != wanted and time.monotonic() < end:
        leader.page.wait_for_timeout(200)
    assert now == wanted


def pick(leader: Officer, *people: Officer) -> None:
    leader.page.locator('[data-tab="people"]').click()
    for each in people:
        leader.page.locator(".persons button", has_text=each.user["badge"]).click()


def newest(leader: Officer) -> str:
    return str(
        leader.page.evaluate(
            """async () => {
                const token = JSON.parse(sessionStorage.getItem('poc.account')).access;
                const headers = {authorization: `Bearer ${token}`};
                return (await (await fetch('/api/v1/broadcasts?limit=1', {headers})).json()).broadcasts[0].id;
            }"""
        )
    )


def hold(leader: Officer, key: str, ms: int) -> None:
    box = leader.page.locator(key).bounding_box()
    assert box is not None
    leader.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = len(leader.events("floor_granted"))
    leader.page.mouse.down()
    leader.wait_for("floor_granted", before + 1, WAIT_S * 1000)
    leader.page.wait_for_timeout(ms)
    leader.page.mouse.up()


@contextmanager
def frozen(page: Officer) -> Iterator[None]:
    """Its script stands still, while the browser goes on decoding what comes."""
    debugger = page.context.new_cdp_session(page.page)
    debugger.send("Debugger.enable")
    debugger.send("Debugger.pause")
    try:
        yield
    finally:
        debugger.send("Debugger.resume")
        debugger.send("Debugger.disable")


def test_only_who_could_hear_has_heard(playwright: Playwright, city: City) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as browser:
        people = {badge: person(browser, city, badge) for badge in ("BJ-001", "BJ-002", "BJ-003", "BJ-004")}
        hears, muted, suspended, freezes = people.values()
        leader = Officer(browser, city, "LD-001", page="leader")
        leader.page.set_viewport_size({"width": 1440, "height": 900})
        pick(leader, *people.values())
        muted.page.evaluate("window.sounds.forEach(sound => { sound.muted = true; })")
        suspended.page.evaluate("Promise.all(window.contexts.map(context => context.suspend()))")
        ids = {badge: each.user["id"] for badge, each in people.items()}
        for attempt in range(TRIES):
            with frozen(freezes):
                hold(leader, ".hold.broadcast", 3_000)
                live = newest(leader)
                hears.wait_for("measured", attempt + 1, WAIT_S * 1000)
                heard = hears.events("measured")[-1]["heard"]
                now = dict.fromkeys(ids.values(), "delivered") | {ids["BJ-001"]: "heard" if heard else "delivered"}
                until(city, leader, live, now | {ids["BJ-004"]: "sent"})
            until(city, leader, live, now)
            if heard:
                break
        assert heard
        card = f'.message[data-broadcast="{live}"]'
        expect(hears.page.locator(f"{card} .heard")).to_be_visible()

        # Who did not hear plays it again; who hears it so has heard it; a person confirms.
        muted.page.locator(f"{card} button").first.click()
        until(city, leader, live, now | {ids["BJ-002"]: "heard"})
        hears.page.locator(f"{card} button.primary").click()
        until(city, leader, live, now | {ids["BJ-002"]: "heard", ids["BJ-001"]: "acknowledged"})
        expect(leader.page.locator(".tallies li").first).to_contain_text("1 确认")
        assert not [problem for each in (*people.values(), leader) for problem in each.problems]


def person(browser: Browser, city: City, badge: str) -> Officer:
    return Officer(browser, city, badge, init=KEEP_SOUND)
