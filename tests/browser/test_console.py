"""A night at the console: three phones, one dispatcher, nothing but the keyboard where a key is promised."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Playwright, expect

from signaling.limits import MAX_GROUPS_LISTENED
from tests.browser.heard import heard, played, told_of
from tests.browser.long_wall import both_go_on_elsewhere, made_groups, walk_a_long_wall
from tests.browser.test_leader import draw_around_all
from tests.browser.test_sos import hold_sos
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.console import Console
from tests.support.officer import Officer

pytestmark = pytest.mark.browser

RIVER, WEST = "滨江巡查组", "西山巡查组"
LONG_AGO_MS = 25 * 60_000
AHEAD_MS = 12_000
"""An age on the map may be told so much too old, and never too young."""
NO_WORKER = "navigator.serviceWorker.register = () => new Promise(() => undefined);"
"""What a service worker fetches cannot be cut off for one page."""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """One city for all of the console; its operator switched remote listening on."""
    on = {"POC_TALK__REMOTE_LISTENING": "true"}
    with running_city(tmp_path_factory.mktemp("console") / "city", env=on, first=True) as running:
        yield running


def seen_long_ago(city: City, officer: Officer) -> int:
    """This officer's phone reported its place a good while ago, and no more: when that was (ms)."""
    token = city.post(f"/api/v1/demo/people/{officer.user['id']}/step-in")["access_token"]
    at = int(time.time() * 1000) - LONG_AGO_MS
    position = {"longitude": 114.29, "latitude": 30.58, "accuracy_m": 15, "at_ms": at}
    city.post("/api/v1/me/place", {"reports": [{"at_ms": at, "position": position}]}, token)
    return at


def minutes_since(ms: int) -> int:
    return int(time.time() * 1000 - ms) // 60_000


def minutes_told(marker: Locator) -> int:
    found = re.search(r"(\d+) 分钟前", marker.text_content() or "")
    assert found, "no age is told"
    return int(found[1])


def test_three_phones_and_a_console(playwright: Playwright, city: City) -> None:
    with chromium(playwright) as browser:
        desk = Console(browser, city, "PQ-001")
        one, two, west = (Officer(browser, city, badge) for badge in ("BJ-001", "BJ-002", "XS-001"))
        for officer, group in ((one, RIVER), (two, RIVER), (west, WEST)):
            officer.select(group)
        seen_ms = seen_long_ago(city, west)

        # The wall: who talks, who waits, how many listen.
        river, mountain = desk.channel(RIVER), desk.channel(WEST)
        one.key_down()
        expect(river.locator(".talker .who")).to_have_text(one.user["name"], timeout=30_000)
        loud(river.locator(".level i"), "bar => !bar.style.transform.includes('scaleX(0)')")
        loud(two.page.locator("button.talk"), "key => Number(key.style.getPropertyValue('--level')) > 0")
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
        desk.key("m", "Escape")
        expect(river.locator('.letter[aria-pressed="true"]')).to_have_count(0)

        # What was said there again, by one key, and by it no more.
        again = river.locator(".say-again")
        with desk.page.expect_response(lambda answer: answer.ok and "/recordings/" in answer.url, timeout=30_000):
            desk.key("r")
        expect(again).to_have_attribute("aria-pressed", "true")
        desk.key("r")
        expect(again).to_have_attribute("aria-pressed", "false")

        # Into one channel by its number, whatever is chosen.
        mountain.locator(".name").click()
        desk.page.keyboard.down("Shift")
        desk.page.keyboard.down(f"Digit{river.locator('header kbd').inner_text()}")
        expect(river).to_have_attribute("data-air", "mine", timeout=30_000)
        expect(mountain).to_have_attribute("data-air", "idle")
        heard(one, desk.user["id"])
        desk.page.keyboard.up(f"Digit{river.locator('header kbd').inner_text()}")
        desk.page.keyboard.up("Shift")
        expect(river).to_have_attribute("data-air", "idle", timeout=30_000)

        # Two channels, one voice.
        river.locator(".name").click()
        desk.key("t")
        mountain.locator(".name").click()
        desk.key("t")
        before = played(one, desk.user["id"])
        desk.page.keyboard.down("Space")
        heard(one, desk.user["id"], but=before)
        heard(west, desk.user["id"])
        desk.page.keyboard.up("Space")
        for card in (river, mountain):
            expect(card).to_have_attribute("data-air", "idle", timeout=30_000)

        # The same two joined: who talks in one is heard in the other.
        desk.key("j")
        expect(desk.page.locator('.together [data-kind="patch"]')).to_be_visible(timeout=30_000)
        west.key_down()
        heard(one, west.user["id"])
        west.key_up()
        desk.key("Shift+J")
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
        # However fast it is typed: no letter is a command, and Enter means who is found, not who stood there before.
        desk.key("/")
        desk.page.keyboard.type(two.user["badge"])
        desk.key("Enter")
        expect(desk.page.locator('.persons li[data-open="true"]')).to_have_attribute("data-user", two.user["id"])
        expect(desk.page.locator(".persons li")).to_have_count(1)
        desk.key("Shift+Q")
        two.page.get_by_role("button", name="接听").click(timeout=30_000)
        expect(desk.page.locator(".channel .flag", has_text="通话")).to_be_visible(timeout=30_000)
        before = played(two, desk.user["id"])
        desk.page.keyboard.down("Space")
        heard(two, desk.user["id"], but=before)
        desk.page.keyboard.up("Space")
        desk.key("Backspace")
        expect(desk.page.locator(".channel .flag", has_text="通话")).to_have_count(0, timeout=30_000)

        # Both at once, without a key to hold: each hears the other.
        before, before_here = played(two, desk.user["id"]), played(desk, two.user["id"])
        desk.key("d")
        two.page.get_by_role("button", name="接听").click(timeout=30_000)
        heard(two, desk.user["id"], but=before)
        heard(desk, two.user["id"], but=before_here)
        desk.key("Backspace")
        expect(desk.page.locator(".channel .flag", has_text="通话")).to_have_count(0, timeout=30_000)

        # An officer holds a name and talks: he alone hears it, by loudspeaker.
        told = told_of(two, west.user["id"])
        before = played(one, west.user["id"])
        west.contacts()
        west.hold(one.user["name"])
        heard(one, west.user["id"], but=before)
        expect(west.page.locator(".affairs .brought")).to_contain_text(one.user["name"])
        west.key_up()
        assert told_of(two, west.user["id"]) == told
        one.page.locator(".affairs .brought").get_by_role("button", name="挂断").click()
        expect(west.page.locator(".affairs .brought")).to_have_count(0, timeout=30_000)

        # On the map, an old place says that it is old.
        desk.key("g")
        marker = desk.page.locator(f'.city-map .person[data-user="{west.user["id"]}"]')
        expect(marker).to_have_attribute("data-age", "stale", timeout=30_000)
        least = minutes_since(seen_ms)
        # Drawn anew each ten seconds, as old as it will be then.
        assert least <= minutes_told(marker) <= minutes_since(seen_ms - AHEAD_MS)
        marks = desk.page.locator(".city-map .leaflet-marker-icon[role=button]")
        stop = desk.page.locator('.city-map .leaflet-marker-icon[role=button][tabindex="0"]')
        expect(stop).to_have_count(1)  # however many stand there, the Tab key stops at one
        stop.focus()
        names = set()
        for _ in range(marks.count()):
            names.add(desk.page.evaluate("document.activeElement.getAttribute('aria-label')"))
            desk.page.keyboard.press("ArrowRight")
        assert len(names) == marks.count()
        assert not [problem for page in (desk, one, two, west) for problem in page.problems]


def loud(shown: Locator, moved: str) -> None:
    """Until the level that is shown there moves."""
    shown.page.wait_for_function(moved, arg=shown.element_handle())


def card(desk: Console, officer: Officer) -> Locator:
    """What can be done with a person, opened in the list."""
    row = desk.page.locator(f'.persons [data-user="{officer.user["id"]}"]')
    if row.get_attribute("data-open") != "true":
        row.locator(".one").click()
    return row


def test_what_needs_a_right(playwright: Playwright, city: City) -> None:
    """Monitored unseen, barred and let talk again, pulled in and ended, listened to."""
    with chromium(playwright) as browser:
        desk, leader = Console(browser, city, "PQ-001"), Console(browser, city, "ZB-001")
        one, two = Officer(browser, city, "BJ-001"), Officer(browser, city, "BJ-002")
        for officer in (one, two):
            officer.select(RIVER)
        desk.key("p")
        leader.key("p")

        # Monitored: unseen first, then seen by those who are there.
        leader.key("o")
        dialog = leader.page.locator("dialog[open]")
        dialog.get_by_label("指定的组").check()
        dialog.get_by_label(RIVER, exact=True).check()
        dialog.get_by_label("隐蔽监听").check()
        dialog.get_by_role("button", name="确定").click()
        watched = leader.channel(RIVER)
        expect(watched.get_by_role("img", name="隐蔽监听")).to_be_visible(timeout=30_000)
        one.key_down()
        heard(leader, one.user["id"])
        eye = desk.channel(RIVER).locator(f'.people [title*="{leader.user["name"]}"]')
        expect(eye).to_have_count(0)
        one.key_up()
        leader.key("o")
        dialog.get_by_label("隐蔽监听").uncheck()
        dialog.get_by_role("button", name="确定").click()
        expect(eye).to_have_text("1", timeout=30_000)
        leader.load_anew()
        expect(watched.get_by_role("img", name="监听中")).to_be_visible(timeout=30_000)
        expect(eye).to_have_text("1", timeout=30_000)

        # Barred from talking: told at once, refused at the key; then let talk again.
        card(desk, two).get_by_role("button", name="禁呼").click()
        barred = two.page.locator(".affairs .talk-banned")
        expect(barred).to_contain_text(desk.user["name"], timeout=30_000)
        two.key_down()
        two.face("denied")
        two.key_up()
        card(desk, two).get_by_role("button", name="解除禁呼").click()
        expect(barred).to_have_count(0, timeout=30_000)
        two.face("idle")
        two.key_down()
        two.face("talking")
        two.key_up()

        # Pulled in without being asked, and ended for all.
        card(desk, two).get_by_role("button", name="强拉").click()
        expect(two.page.locator(".affairs .brought")).to_be_visible(timeout=30_000)
        card(desk, one).get_by_role("button", name="强拉入会").click()
        expect(one.page.locator(".affairs .brought")).to_be_visible(timeout=30_000)
        call = desk.page.locator(".passing .channel")
        one.key_down()
        expect(call.locator(".talker .who")).to_have_text(one.user["name"], timeout=30_000)
        heard(two, one.user["id"])
        one.key_up()
        call.get_by_role("button", name="强拆").click()
        call.get_by_role("button", name="确认强拆").click()
        for page in (one.page, two.page):
            expect(page.locator(".affairs .brought")).to_have_count(0, timeout=30_000)
        expect(call).to_have_count(0)

        # Rung for together: who answers first has the call, the other's rings no more.
        for officer in (one, two):
            desk.page.locator(f'.persons [data-user="{officer.user["id"]}"] .pick').click()
        desk.page.locator(".picked").get_by_role("button", name="先接先通").click()
        for officer in (one, two):
            expect(officer.page.get_by_role("button", name="接听")).to_be_visible(timeout=30_000)
        two.page.get_by_role("button", name="接听").click()
        expect(one.page.get_by_role("button", name="接听")).to_have_count(0, timeout=30_000)
        desk.page.keyboard.down("Space")
        heard(two, desk.user["id"])
        desk.page.keyboard.up("Space")
        assert told_of(one, desk.user["id"]) == 0
        desk.key("Backspace")
        expect(call).to_have_count(0, timeout=30_000)

        # Groups merged for a while, by keys alone; then whoever is in an area of the map.
        watched_here = desk.channel(RIVER)
        watched_here.locator(".name").click()
        desk.key("t", "n")
        temporary = desk.page.locator("dialog[open]")
        expect(temporary.locator(".gathered")).to_contain_text(RIVER)
        temporary.locator("input").fill("中山路塌陷")
        temporary.locator("select").select_option("2")
        desk.key("Enter")
        expect(call.locator(".flag")).to_contain_text("临时组 至", timeout=30_000)
        for officer in (one, two):
            expect(officer.page.locator(".affairs .brought")).to_contain_text("中山路塌陷", timeout=30_000)
        expect(watched_here).to_have_attribute("data-marked", "false")
        call.get_by_role("button", name="强拆").click()
        call.get_by_role("button", name="确认强拆").click()
        expect(call).to_have_count(0, timeout=30_000)
        seen_long_ago(city, one)
        desk.key("g")
        tools = desk.page.locator(".area-tools")
        tools.get_by_role("button", name="圈选区域").press("Enter")
        sight = desk.page.get_by_role("button", name="以画面为区域")
        expect(sight).to_be_enabled()  # once the map is there
        sight.press("Enter")
        expect(tools.get_by_role("status")).to_have_text(re.compile("圈内 [1-9]"))
        tools.get_by_role("button", name="圈选区域").click()
        draw_around_all(desk.page)
        desk.page.locator(".area-tools").get_by_role("button", name="临时组").click()
        expect(temporary.locator(".gathered")).to_contain_text("圈内")
        temporary.get_by_role("button", name="建组").click()
        expect(one.page.locator(".affairs .brought")).to_contain_text("地图区域", timeout=30_000)

        # Whose call it is not, and who is not in it, sees it go on, pulls one more in and ends it.
        leader.page.locator(f'.persons [data-user="{two.user["id"]}"] .pick').click()
        leader.key("c")
        others = leader.page.locator("dialog[open] .calls li", has_text="地图区域")
        others.get_by_role("button", name="强拉已选 1 人").click(timeout=30_000)
        expect(two.page.locator(".affairs .brought")).to_contain_text("地图区域", timeout=30_000)
        others.get_by_role("button", name="强拆").click()
        others.get_by_role("button", name="确认强拆").click()
        expect(others).to_have_count(0, timeout=30_000)
        leader.key("Escape")
        expect(one.page.locator(".affairs .brought")).to_have_count(0, timeout=30_000)
        desk.key("p")

        # Listened to by a right that the operator switched on: pressed twice, and the officer is told.
        expect(card(desk, two).get_by_role("button", name="远程激活")).to_have_count(0)
        row = card(leader, two)
        row.get_by_role("button", name="远程激活").click()
        row.get_by_role("button", name="确认远程激活").click()
        sign = two.page.locator(".affairs .listened-to")
        expect(sign).to_be_visible(timeout=30_000)
        line = leader.page.locator(".passing .channel", has_text="远程激活")
        expect(line.locator(".talker .who")).to_have_text(two.user["name"], timeout=30_000)
        leader.page.wait_for_function(
            "id => Object.values(window.__poc.events).some(e => e.name === 'slot' && e.by?.id === id)",
            arg=two.user["id"],
        )
        heard(leader, two.user["id"])
        line.get_by_role("button", name="挂断").click()
        expect(sign).to_have_count(0, timeout=30_000)
        assert not [problem for page in (desk, leader, one, two) for problem in page.problems]


def test_a_shift_is_handed_over(playwright: Playwright, city: City) -> None:
    """An alert that was claimed, and a word, go on with the next dispatcher, who has more channels than he can hear."""
    with chromium(playwright) as browser:
        desk, one = Console(browser, city, "PQ-001"), Officer(browser, city, "BJ-001")
        one.select(RIVER)
        hold_sos(one)
        expect(desk.page.locator(".alert")).to_be_visible(timeout=30_000)
        desk.key("a")
        mine = desk.page.locator(".alert").get_by_role("button", name="处理完毕")
        # A claim that is not acknowledged goes back into the queue before long.
        desk.page.locator(".alert").get_by_role("button", name="告知已收到").click(timeout=30_000)
        expect(mine).to_be_visible(timeout=30_000)
        many = [f"巡查{number:02}组" for number in range(1, MAX_GROUPS_LISTENED + 1)]
        made_groups(browser, city, many, "PQ-002", "BJ-001")
        following = Console(browser, city, "PQ-002")
        desk.key("h")
        offer = desk.page.locator("dialog[open]")
        offer.locator("select").select_option(following.user["id"])
        offer.locator("textarea").fill("夜市有人闹事，盯住滨江")
        offer.get_by_role("button", name="提出交班").click()
        strip = following.page.locator('.wall .handover[data-state="to_me"]')
        expect(strip).to_contain_text("夜市有人闹事", timeout=30_000)
        expect(strip).to_contain_text(one.user["name"])
        strip.get_by_role("button", name="接班").click()
        taken = following.page.locator(".alert").get_by_role("button", name="处理完毕")
        expect(taken).to_be_visible(timeout=30_000)
        expect(mine).to_have_count(0, timeout=30_000)
        expect(offer).to_contain_text("已接", timeout=30_000)
        taken.click()
        taken.click()
        expect(following.page.locator(".alert")).to_have_count(0, timeout=30_000)
        walk_a_long_wall(following, one, many[-1])
        both_go_on_elsewhere(following, one, city, many[-1])
        assert not [problem for page in (desk, following, one) for problem in page.problems]


def test_a_map_that_was_not_loaded_is_tried_again_and_its_card_knows_who_is_banned(
    playwright: Playwright, city: City
) -> None:
    with chromium(playwright) as browser:
        desk = Console(browser, city, "PQ-001", init=NO_WORKER)
        officer = Officer(browser, city, "XS-002", connected=False)
        seen_long_ago(city, officer)
        desk.page.route("**/assets/sheet-*.js", lambda route: route.abort())
        desk.key("g")
        expect(desk.page.locator(".city-map .failed")).to_contain_text("地图未能加载", timeout=30_000)
        desk.page.unroute_all()
        desk.page.locator(".city-map .failed button").click()
        marker = desk.page.locator(f'.city-map .person[data-user="{officer.user["id"]}"]')
        card = desk.page.locator(".person-card")
        for before, after in (("false", "true"), ("true", "false")):
            marker.locator("i").dispatch_event("click", timeout=30_000)  # others may stand at the same place
            ban = card.locator("button[aria-pressed]")
            expect(ban).to_have_attribute("aria-pressed", before)
            ban.click()
            expect(ban).to_have_attribute("aria-pressed", after)
            card.get_by_role("button", name="关闭").click()
            expect(card).to_have_count(0)
        assert not desk.problems
