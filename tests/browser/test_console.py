"""A night at the console: three phones, one dispatcher, nothing but the keyboard where a key is promised."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Playwright, expect

from tests.support.chromium import chromium
from tests.support.city import City
from tests.support.console import Console
from tests.support.officer import Officer

pytestmark = pytest.mark.browser

RIVER, WEST = "滨江巡查组", "西山巡查组"
LONG_AGO_MS = 25 * 60_000


def heard(officer: Officer, talker: str) -> None:
    """Until the first voice of this talker was played on the phone."""
    officer.page.wait_for_function(
        """user => window.__poc.events.some(slot => slot.name === 'slot' && slot.by?.id === user
            && window.__poc.events.some(e => e.name === 'first_voice' && e.burst === slot.burst))""",
        arg=talker,
    )


def seen_long_ago(city: City, officer: Officer) -> None:
    """This officer's phone reported its place a good while ago, and no more."""
    token = city.post(f"/api/v1/demo/people/{officer.user['id']}/step-in")["access_token"]
    at = int(time.time() * 1000) - LONG_AGO_MS
    position = {"longitude": 114.29, "latitude": 30.58, "accuracy_m": 15, "at_ms": at}
    city.post("/api/v1/me/place", {"reports": [{"at_ms": at, "position": position}]}, token)


def test_three_phones_and_a_console(playwright: Playwright, city: City) -> None:
    with chromium(playwright) as browser:
        desk = Console(browser, city, "PQ-001")
        one, two, west = (Officer(browser, city, badge) for badge in ("BJ-001", "BJ-002", "XS-001"))
        for officer, group in ((one, RIVER), (two, RIVER), (west, WEST)):
            officer.select(group)
        seen_long_ago(city, west)

        # The wall: who talks, who waits, how many listen.
        river, mountain = desk.channel(RIVER), desk.channel(WEST)
        one.key_down()
        expect(river.locator(".talker .who")).to_have_text(one.user["name"], timeout=30_000)
        two.key_down()
        expect(river.locator(".queue")).to_be_visible(timeout=30_000)
        expect(river.locator(".people")).to_contain_text("3/")
        one.key_up()
        expect(river.locator(".talker .who")).to_have_text(two.user["name"], timeout=30_000)
        two.key_up()
        expect(river.locator(".talker .time")).to_contain_text(two.user["name"], timeout=30_000)

        # Muted and solo by key, and undone; the help shows the keys.
        river.locator(".name").click()
        desk.key("m", "s", "e")
        expect(river.locator('.letter[aria-pressed="true"]')).to_have_count(2)
        expect(mountain).to_have_attribute("data-heard", "false")
        desk.key("m", "s", "Shift+Slash")
        expect(desk.page.locator("dialog[open] kbd", has_text="Shift + T")).to_be_visible()
        desk.key("Escape")

        # Two channels, one voice.
        desk.key("t")
        mountain.locator(".name").click()
        desk.key("t")
        desk.page.keyboard.down("Space")
        for officer in (one, west):
            heard(officer, desk.user["id"])
        desk.page.keyboard.up("Space")
        for card in (river, mountain):
            expect(card).to_have_attribute("data-air", "idle", timeout=30_000)

        # The same two joined: who talks in one is heard in the other.
        desk.page.locator(".together button.primary").click()
        expect(desk.page.locator('.together [data-kind="patch"]')).to_be_visible(timeout=30_000)
        west.key_down()
        heard(one, west.user["id"])
        west.key_up()
        desk.page.locator('.together [data-kind="patch"] button').click()
        expect(desk.page.locator(".together")).to_have_count(0, timeout=30_000)

        # Written there, unread here, read, answered by a word.
        desk.key("w")
        desk.page.locator(".threads button", has_text=RIVER).click()
        desk.page.locator(".thread input").fill("请到中山路口")
        desk.key("Enter", "Escape")
        expect(one.page.locator("button.group .unread")).to_have_text("1", timeout=30_000)
        one.page.locator("button.group").click()
        one.page.get_by_role("tab", name="消息").click()
        one.page.locator(".threads button", has_text="请到中山路口").click()
        one.page.locator(".thread .statuses button", has_text="已到现场").click()
        expect(desk.page.locator('.said-list [data-kind="status"]')).to_contain_text("已到现场", timeout=30_000)
        expect(one.page.locator("button.group .unread")).to_have_count(0)
        one.page.locator(".drawer-head button").click()

        # Found by the initials of the pinyin, rung up, answered, hung up by a key.
        desk.key("/")
        desk.page.keyboard.type(two.user["badge"])
        desk.key("Escape")
        desk.page.locator(f'.persons [data-user="{two.user["id"]}"] .one').click()
        desk.page.get_by_role("button", name="振铃呼叫").click()
        two.page.get_by_role("button", name="接听").click(timeout=30_000)
        expect(desk.page.locator(".channel .flag", has_text="通话")).to_be_visible(timeout=30_000)
        desk.page.keyboard.down("Space")
        heard(two, desk.user["id"])
        desk.page.keyboard.up("Space")
        desk.key("Backspace")
        expect(desk.page.locator(".channel .flag", has_text="通话")).to_have_count(0, timeout=30_000)

        # On the map, an old place says that it is old.
        desk.key("g")
        marker = desk.page.locator(f'.city-map .person[data-user="{west.user["id"]}"]')
        expect(marker).to_have_attribute("data-age", "stale", timeout=30_000)
        expect(marker).to_contain_text("25 分钟前")
        assert not [problem for page in (desk, one, two, west) for problem in page.problems]
