"""Whatever keeps a person from talking or hearing takes the whole screen and says what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.support.chromium import LOOPBACK, chromium
from tests.support.city import City, running_city
from tests.support.console import Console
from tests.support.officer import KEEP_MICROPHONE, Officer

pytestmark = pytest.mark.browser
REFUSE = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("obstacles") / "city") as running:
        yield running


@pytest.fixture(scope="module")
def started(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as running:
        yield running


@pytest.fixture
def browser(started: Browser) -> Iterator[Browser]:
    """Started once; what a test opened in it is closed with the test."""
    yield started
    for context in started.contexts:
        context.close()


def opened(browser: Browser, city: City, badge: str, init: str = "", path: str = "talk") -> Page:
    """The page of this person, untouched: nothing is evaluated in it, which Chromium would take for a touch."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, bypass_csp=True)
    if init:
        context.add_init_script(init)
    page = context.new_page()
    people = city.get("/api/v1/demo/people")
    user = next(person["id"] for person in people if person["badge"] == badge)
    page.goto(f"{city.url}/{path}?as={user}")
    return page


def obstacle(page: Page, name: str, timeout_ms: int = 5_000) -> None:
    screen = page.locator(f'[data-obstacle="{name}"]')
    screen.wait_for(timeout=timeout_ms)
    box = screen.bounding_box()
    assert box == {"x": 0, "y": 0, "width": 360, "height": 640}
    assert screen.get_by_role("heading").inner_text()
    assert len(screen.locator("p").inner_text()) > 5, "it says what to do"


def reported(page: Page) -> list[str | None]:
    return list(page.evaluate("window.__poc.events.filter(e => e.name === 'listening').map(e => e.reason)"))


def test_a_listener_never_touched_is_asked_to_touch(playwright: Playwright, city: City) -> None:
    with chromium(playwright, flags=LOOPBACK) as browser:
        page = opened(browser, city, "DH-001")
        page.wait_for_timeout(1_500)
        obstacle(page, "sound_locked")
        assert "locked" in reported(page)
        assert None not in reported(page)
        page.get_by_role("button", name="打开声音").click()
        page.locator("[data-obstacle]").wait_for(state="detached")
        page.wait_for_function("window.__poc.events.findLast(e => e.name === 'listening').reason === null")


def test_a_refused_microphone_is_explained_and_one_may_go_on_listening(browser: Browser, city: City) -> None:
    page = opened(browser, city, "DH-001", REFUSE)
    obstacle(page, "microphone_refused")
    page.get_by_role("button", name="先只收听").click()
    page.locator("[data-obstacle]").wait_for(state="detached")
    page.locator('[data-face="idle"]').wait_for()


def test_a_missing_microphone_is_explained(browser: Browser, city: City) -> None:
    missing = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };"
    obstacle(opened(browser, city, "DH-001", missing), "microphone_missing")


def test_the_first_visit_asks_for_the_microphone_before_the_first_press(browser: Browser, city: City) -> None:
    ask = "navigator.permissions.query = async () => Object.assign(new EventTarget(), {state: 'prompt'});"
    page = opened(browser, city, "DH-001", ask)
    obstacle(page, "microphone_ask")
    page.get_by_role("button", name="允许麦克风").click()
    page.locator("[data-obstacle]").wait_for(state="detached")
    page.wait_for_function("window.__poc.events.some(e => e.name === 'microphone' && e.state === 'warm')")


DEAF_NETWORK = """
const take = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (offer) {
    return take.call(this, {...offer, sdp: offer.sdp.replace(/^a=candidate:.*\\r\\n/gm, '')});
};
"""
"""Signaling passes, voice has nowhere to go."""


def test_no_media_path_within_five_seconds_is_told(browser: Browser, city: City) -> None:
    page = opened(browser, city, "DH-001", DEAF_NETWORK)
    obstacle(page, "no_media_path", timeout_ms=8_000)
    connecting, failed = (
        page.evaluate(f"window.__poc.events.find(e => e.name === 'media' && e.state === '{state}').t")
        for state in ("connecting", "failed")
    )
    assert 4_900 <= failed - connecting <= 5_500
    assert set(reported(page)) <= {"no_media", "locked"}
    page.get_by_role("button", name="再试一次").click()
    page.wait_for_function("window.__poc.events.some(e => e.name === 'ice_restart' && e.reason === 'asked')")
    obstacle(page, "no_media_path")


def test_one_who_opens_the_page_again_on_the_same_device_is_told_here(browser: Browser, city: City) -> None:
    same = f"{KEEP_MICROPHONE}sessionStorage.setItem('poc.device', 'd-one');"
    first = Officer(browser, city, "DH-002", init=same)
    Officer(browser, city, "DH-002", init=same)
    obstacle(first.page, "dismissed")


def test_an_enrolment_link_is_spent_by_its_button_alone(browser: Browser, city: City) -> None:
    page = browser.new_context(viewport={"width": 360, "height": 640}).new_page()
    spent: list[str] = []
    page.on("request", lambda request: spent.append(request.url) if "/auth/enrol" in request.url else None)
    page.goto(f"{city.url}/enrol/not-a-code")
    page.get_by_role("button", name="在本机开通").wait_for()
    assert not spent
    page.get_by_role("button", name="在本机开通").click()
    page.get_by_role("alert").wait_for()
    assert len(spent) == 1


def test_what_stands_in_the_way_covers_the_console_too(browser: Browser, city: City) -> None:
    obstacle(opened(browser, city, "PQ-001", REFUSE, path="console"), "microphone_refused", 20_000)


def test_nobody_is_signed_out_by_a_slip_or_calls_in_vain_and_is_not_told(browser: Browser, city: City) -> None:
    page = Officer(browser, city, "BJ-003").page
    page.get_by_role("button", name="退出").click()
    page.locator(".sos-key").hover()  # refused by Playwright where something else takes the press
    page.locator(".question").get_by_role("button", name="不退出").click()
    expect(page.locator(".question")).to_have_count(0)
    page.locator("button.group").click()
    page.get_by_role("tab", name="通讯录").click()
    away = page.locator(".persons li", has_text="PQ-003")
    away.locator(".more").click()
    away.get_by_role("button", name="振铃呼叫").click()
    expect(page.locator(".affairs .ended")).to_contain_text("对方不在线", timeout=20_000)
    expect(page.locator(".drawer")).to_have_count(0)


def test_the_sos_key_stands_free_of_whatever_covers_the_page(browser: Browser, city: City) -> None:
    page = opened(browser, city, "BJ-001", REFUSE)
    obstacle(page, "microphone_refused")
    word = page.locator(".sos-word")
    key, act = page.locator(".sos-key").bounding_box(), page.locator(".obstacle .actions").bounding_box()
    assert key is not None
    assert act is not None
    assert act["y"] + act["height"] <= key["y"], "the keys of the obstacle are not below it"
    page.locator(".sos-key").hover()  # refused by Playwright where something else takes the press
    page.mouse.down()
    expect(word).to_contain_text("无人在席", timeout=20_000)
    page.mouse.up()
    expect(page.locator('[data-obstacle="microphone_refused"]')).to_be_visible()
    desk = Console(browser, city, "PQ-001")  # a desk that comes on later: he reads that it rings there
    expect(word).to_contain_text("1 台已通知")
    expect(desk.page.locator(".alert")).to_have_count(1)
    word.locator("button").click()
    word.locator('button[data-armed="true"]').click()
    expect(desk.page.locator(".alert")).to_have_count(0)

    # Without a word of the server the page offers the key that this person had: opened again with no way to it.
    page.add_init_script("window.WebSocket = class extends EventTarget { close() {} send() {} };")
    page.reload()
    expect(page.locator(".sos-key")).to_be_visible()
    page.locator(".sos-key").hover()
    page.mouse.down()
    expect(word).to_contain_text("已发出", timeout=20_000)
    page.mouse.up()
    expect(desk.page.locator(".alert")).to_have_count(1)
