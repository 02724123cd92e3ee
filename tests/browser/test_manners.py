"""Radio manners of the officer's page: how a burst begins, ends, waits and survives a lost network."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.browser.hearing import RATE, Samples
from tests.browser.page_scripts import (
    COUNT,
    FELL,
    HEARD,
    HEARD_MORE,
    HEARS,
    HOLD_SOUND,
    LISTENING,
    LOST_KEYS,
    QUIET,
    SEEN,
)
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.officer import Officer

pytestmark = pytest.mark.browser

GROUP = "滨江巡查组"
PERMIT_HZ = 1050
"""The first note of the permit tone (`web/src/media/melodies.ts`)."""
LONG_MS = 90_000
"""For what takes some seconds where a machine has nothing else to do."""
CLEAN_END = ("mic_silent", "mic_detached", "floor_release")


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("manners") / "city") as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as running:
        yield running


@contextmanager
def two(browser: Browser, city: City, *badges: str) -> Iterator[tuple[Officer, Officer]]:
    first, second = (Officer(browser, city, badge) for badge in badges)
    for officer in (first, second):
        officer.select(GROUP)
        officer.face("idle")
    yield first, second
    for officer in (first, second):
        assert not officer.problems
        officer.context.close()


@pytest.fixture
def pair(browser: Browser, city: City) -> Iterator[tuple[Officer, Officer]]:
    with two(browser, city, "BJ-001", "BJ-002") as officers:
        yield officers


@pytest.fixture(scope="module")
def lasting(browser: Browser, city: City) -> Iterator[tuple[Officer, Officer]]:
    with two(browser, city, "BJ-003", "BJ-004") as officers:
        yield officers


@pytest.fixture
def same_pair(lasting: tuple[Officer, Officer]) -> tuple[Officer, Officer]:
    """Two whose pages stay open from test to test: seen, at rest, and without a mark of the one before."""
    for officer in lasting:
        officer.page.evaluate(SEEN)
        officer.face("idle")
        officer.page.evaluate("window.__poc.events.length = 0")
    return lasting


def shown(page: Page, name: str) -> None:
    """Keeps a picture where one is wanted."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder, f"{name}.png"))


@pytest.mark.parametrize("script", LOST_KEYS.values(), ids=LOST_KEYS)
def test_a_key_that_is_lost_ends_the_burst_clean(same_pair: tuple[Officer, Officer], script: str) -> None:
    talker, listener = same_pair
    talker.key_down()
    talker.face("talking")
    listener.face("taken")
    if script:
        talker.page.evaluate(script)
    else:
        talker.key_up()
    talker.wait_for("floor_release", 1)
    listener.face("idle")
    silent, detached, released = (talker.events(name)[-1]["t"] for name in CLEAN_END)
    assert detached - silent >= 99, "a frame + 60 ms of silence go before the detach"
    assert silent <= detached <= released
    talker.key_up()


def test_no_sample_of_one_burst_is_heard_in_the_next(browser: Browser, city: City) -> None:
    """Burst after burst, each in a pitch of its own; none holds the pitch of the one before."""
    pitches = (500, 1700, 900, 2500, 700, 0)  # at last nothing: his permit tone would be heard, if listeners heard it
    talker = Officer(browser, city, "BJ-001", init=WHISTLE)
    listener = Officer(browser, city, "BJ-002")
    for officer in (talker, listener):
        officer.select(GROUP)
        officer.face("idle")
    listener.record("heard")
    talker.key_down()  # the first burst of a page warms everything up
    talker.face("talking")
    talker.key_up()
    talker.face("idle")
    spans = []
    for pitch in pitches:
        talker.page.evaluate(f"whistle.frequency.value = {pitch}" if pitch else "whistle.disconnect()")
        listener.page.evaluate(QUIET)  # 200 ms at least: the page sends what was said 20 ms before the key went down
        talker.key_down()
        talker.face("talking")
        talker.page.wait_for_timeout(500)
        talker.page.mouse.up()
        talker.face("idle")
        listener.face("idle")
        spans.append((talker.events("pointerdown")[-1]["t"], talker.events("floor_release")[-1]["t"] + 300))
    heard = listener.taken("heard")
    in_silence = loudest_db(heard.between(*spans.pop()), PERMIT_HZ)
    assert in_silence < loudest_db(heard.between(*spans[-1]), pitches[-2]) - 20, "tones are the talker's own"
    assert sum(event["tone"] == "permit" for event in talker.events("tone")) == len(pitches) + 1
    for (before, pitch), (begin, end) in zip(pairwise(pitches[:-1]), spans[1:], strict=True):
        burst = heard.between(begin, end)
        # The edges of a whistle are clicks that hold every pitch, 26 dB below it; a former burst comes at full force.
        clearance = loudest_db(burst, pitch) - loudest_db(burst, before)
        assert clearance > 20, f"{before} Hz rings in the burst of {pitch} Hz"
    talker.context.close()
    listener.context.close()


WHISTLE = """
navigator.mediaDevices.getUserMedia = async () => {
    const context = new AudioContext(), out = context.createMediaStreamDestination();
    window.whistle = new OscillatorNode(context, {frequency: 500});
    whistle.connect(new GainNode(context, {gain: 0.5})).connect(out);
    whistle.start();
    await context.resume();
    return out.stream;
};
"""


def loudest_db(samples: Samples, pitch: int) -> float:
    """The loudest 20 ms of this pitch anywhere in the samples, in dB."""
    size = RATE // 50
    time = np.arange(size) / RATE
    probe = np.exp(-2j * np.pi * pitch * time) * np.hanning(size)
    powers = [abs(np.dot(samples[i : i + size], probe)) for i in range(0, len(samples) - size, size // 4)]
    return 20 * float(np.log10(max(powers) + 1e-9))


def test_a_grant_from_the_queue_beeps_before_the_microphone_opens(same_pair: tuple[Officer, Officer]) -> None:
    first, second = same_pair
    first.key_down()
    first.face("talking")
    second.face("taken")
    second.key_down()
    second.face("queued")
    second.wait_for("mic_detached", 1)
    first.key_up()
    second.face("get_ready")
    second.face("talking")
    second.wait_for("mic_open", 2)
    beep = next(e for e in second.events("tone") if e["tone"] == "permit_from_queue")
    assert second.events("mic_open")[-1]["t"] - beep["t"] >= 340
    second.key_up()
    second.face("idle")


def test_one_who_lets_go_while_queued_leaves_the_queue(same_pair: tuple[Officer, Officer]) -> None:
    first, second = same_pair
    first.key_down()
    first.face("talking")
    second.key_down()
    second.face("queued")
    second.key_up()
    second.face("taken")
    first.key_up()
    first.face("idle")
    second.face("idle")
    assert not second.events("floor_granted")


def test_a_newcomer_clicks_his_way_from_the_start_page_to_talking(browser: Browser, city: City) -> None:
    """As the README has it: two windows of the demo city, step in as two people, hold the key."""
    visitor = browser.new_context(viewport={"width": 1440, "height": 900})
    start = visitor.new_page()
    start.goto(f"{city.url}/")
    people = start.locator("ul.people li")  # the first two are officers of one group
    with visitor.expect_page() as opened:
        people.nth(1).locator("a.button").click()
    other = opened.value
    people.nth(0).locator("button.primary").click()
    for page in (start, other):
        page.locator('[data-face="idle"]').wait_for()
        page.locator("button.group .presence", has_text=re.compile("[2-9] 人在听")).wait_for()
    start.bring_to_front()
    box = start.locator("button.talk").bounding_box()
    assert box is not None
    start.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    start.mouse.down()
    start.locator('[data-face="talking"]').wait_for()
    other.locator('[data-face="taken"]').wait_for()
    start.mouse.up()
    other.locator('[data-face="idle"]').wait_for()
    visitor.close()


def test_another_kind_of_network_moves_the_path_in_mid_burst_and_a_mere_change_of_speed_does_not(
    same_pair: tuple[Officer, Officer],
) -> None:
    talker, listener = same_pair
    talker.key_down()
    listener.face("taken")
    fragment = talker.page.evaluate("__poc.peer.remoteDescription.sdp.match(/a=ice-ufrag:.*/)[0]")
    for kind, restarts in (("wifi", 1), ("wifi", 1), ("cellular", 2)):
        talker.page.evaluate(CHANGE_NETWORK, kind)
        assert len(talker.events("ice_restart")) == restarts
    assert {e["reason"] for e in talker.events("ice_restart")} == {"network_change"}
    talker.page.wait_for_function("fragment => !__poc.peer.remoteDescription.sdp.includes(fragment)", arg=fragment)
    listener.page.wait_for_function(HEARD_MORE, arg=listener.page.evaluate(HEARD))
    assert not talker.events("media"), "the path stood all the while, and its keys stayed"
    talker.key_up()
    listener.face("idle")


CHANGE_NETWORK = """kind => {
    Object.defineProperty(navigator.connection, 'type', {configurable: true, get: () => kind});
    navigator.connection.dispatchEvent(new Event('change'));
}"""


def test_the_space_bar_is_the_key_too_and_own_slots_are_silent_meanwhile(same_pair: tuple[Officer, Officer]) -> None:
    talker, listener = same_pair
    talker.page.keyboard.down(" ")
    talker.face("talking")
    listener.face("taken")
    talker.wait_for("slots_muted", 1)
    talker.page.keyboard.up(" ")
    listener.face("idle")
    talker.wait_for("slots_muted", 2)
    assert [e["muted"] for e in talker.events("slots_muted")] == [True, False]


TOLD_MUCH = """() => {
    const told = document.querySelector('.switched'), more = [1, 2, 3, 4].map(() => told.cloneNode(true));
    told.after(...more);
    const { bottom } = document.querySelector('.sos-key').getBoundingClientRect();
    for (const one of more) one.remove();
    return [bottom, innerHeight];
}"""


COVERED = """() => {
    const rows = ['.group', '.tier', '.status .title', '.status .hint', '.others', '.matters', '.talk', '.sos-key']
        .map(name => [name, document.querySelector(`.front ${name}`).getBoundingClientRect()])
        .filter(([, box]) => box.height > 0);
    const covered = rows.slice(1).filter(([, box], at) => box.top < rows[at][1].bottom - 1).map(([name]) => name);
    return rows.at(-1)[1].bottom > innerHeight ? [...covered, 'the edge'] : covered;
}"""
"""What of an officer's page begins before what stands above it ends."""


def a_leader_takes_the_air(browser: Browser, city: City, officer: Officer) -> None:
    """Who speaks, and how urgently, is read beside all that is told meanwhile; and his own key is seen whole."""
    leader = Officer(browser, city, "LD-001", page="leader")
    leader.page.set_viewport_size({"width": 1280, "height": 760})
    leader.page.locator(".hold.emergency").click()
    leader.page.locator(".running .end").wait_for()
    officer.page.locator(".affairs .brought").wait_for()
    leader.face("idle")
    cut_off = "document.querySelector('.talk').getBoundingClientRect().bottom - innerHeight"
    assert leader.page.evaluate(cut_off) <= 0, "the leader's key is cut off"
    leader.key_down()
    officer.face("taken")
    officer.page.locator(".status .tier").wait_for()
    assert officer.page.evaluate(COVERED) == []
    shown(officer.page, "leader-on-air")
    leader.key_up()
    leader.page.locator(".running .end").click()
    officer.page.locator(".affairs .brought").wait_for(state="detached")
    assert not leader.problems
    leader.context.close()


def test_a_case_takes_phones_along_one_key_goes_back_and_its_suspension_is_explained(
    browser: Browser, pair: tuple[Officer, Officer], city: City
) -> None:
    talker, listener = pair
    dispatcher = next(each["id"] for each in city.get("/api/v1/demo/people") if each["badge"] == "PQ-001")
    token = city.post(f"/api/v1/demo/people/{dispatcher}/step-in")["access_token"]

    def tell(code: str = "E-suspended", **news: object) -> None:
        city.post(f"/api/v1/incidents/{code}/news", news, token)

    title = "滨江大道与沿江一路交叉口东侧路面塌陷，积水较深"
    tell(title=title, urgent=True, parties=[{"kind": "user", "id": each.user["id"]} for each in pair])
    for each in pair:
        each.page.locator("button.group", has_text="路面塌陷").wait_for()
    sos, height = listener.page.evaluate(TOLD_MUCH)
    assert sos <= height, "the SOS key leaves the screen when much is told"
    # An urgent case takes the phones along; one key goes back, and the case is chosen again by hand.
    talker.page.locator(".switched .back", has_text=GROUP).click()
    talker.page.locator("button.group", has_text=GROUP).wait_for()
    assert talker.page.locator(".switched").count() == 0
    talker.page.locator(".incidents .choose").click()
    talker.page.locator("button.group", has_text="路面塌陷").wait_for()
    talker.key_down()
    talker.face("talking")
    tell(step="suspend")
    for each in pair:
        why = each.page.locator(".left[data-why=suspended]")
        why.wait_for()
        assert title in why.inner_text()
        assert each.page.locator(".incidents").count() == 0
    assert talker.page.evaluate("document.documentElement.scrollWidth") == 360
    shown(talker.page, "suspended")
    # He is back in his own group, and the key he still holds asks for nothing there.
    talker.page.locator("button.group", has_text=GROUP).wait_for()
    listener.face("idle")
    talker.face("idle")
    talker.key_up()
    # His next press may have been meant for the case: it speaks when he held on with the group before his eyes.
    talker.key_down()
    talker.face("hold_on")
    talker.face("talking")
    talker.key_up()
    talker.face("idle")
    listener.page.locator(".left .back").click()
    assert listener.page.locator(".left").count() == 0
    # It is taken up again: the word is out of date.
    tell(step="resume")
    talker.page.locator(".incidents .choose").wait_for()
    assert talker.page.locator(".left").count() == 0
    # A tap that does not get through says so, and is there to be pressed again.
    talker.context.set_offline(True)
    talker.face("no_network")
    talker.page.locator(".incidents .tap").click()
    talker.page.locator(".incidents .unsaid").wait_for()
    shown(talker.page, "tap-not-sent")
    talker.context.set_offline(False)
    talker.face("idle", timeout_ms=15_000)
    # Tapped twice it is one step: the second would report what nobody had read.
    talker.page.locator(".incidents .tap").dblclick()
    talker.page.locator(".incidents .unsaid").wait_for(state="detached")
    expect(talker.page.locator(".incidents .tap[aria-disabled=false]")).to_have_text("出发")
    # Of more cases than his page lists he finds each, and has its keys when he opened it.
    for at in range(9):
        tell(f"E-litter-{at}", title=f"暴露垃圾第 {at} 处", parties=[{"kind": "user", "id": talker.user["id"]}])
    talker.page.locator(".incidents .all").click()
    found = talker.page.locator(".all-cases .incidents li")
    found.nth(9).wait_for()
    assert talker.page.evaluate("document.documentElement.scrollWidth") == 360
    assert talker.page.locator(".sos").is_visible()
    shown(talker.page, "all-cases")
    talker.page.get_by_role("searchbox").fill("井盖")
    talker.page.locator(".all-cases > p", has_text="您的案件中，没有").wait_for()
    talker.page.get_by_role("searchbox").fill("第 0 处")
    found.nth(1).wait_for(state="detached")
    found.locator(".choose").click()
    talker.page.locator("button.group", has_text="第 0 处").wait_for()
    talker.page.locator(".incidents li[data-selected=true] .tap").wait_for()
    assert talker.page.locator(".all-cases").count() == 0
    tell("E-urgent", title="中山路路面塌陷", urgent=True, parties=[{"kind": "user", "id": talker.user["id"]}])
    talker.page.locator(".switched").wait_for()
    a_leader_takes_the_air(browser, city, talker)


def test_a_press_without_a_network_says_so_within_100_ms_and_the_phone_comes_back(
    pair: tuple[Officer, Officer],
) -> None:
    talker, listener = pair
    talker.key_down()
    talker.face("talking")
    talker.context.set_offline(True)
    talker.face("no_network")
    talker.wait_for("mic_detached", 1)
    talker.key_up()
    talker.page.wait_for_timeout(100)
    talker.key_down()
    talker.wait_for("pointerdown", 2)
    down = talker.events("pointerdown")[-1]["t"]
    told = next(e for e in talker.events("tone") if e["tone"] == "no_network" and e["t"] >= down)
    assert told["t"] - down < 100
    talker.face("no_network")
    talker.key_up()
    listener.face("idle", timeout_ms=10_000)  # the server frees the floor of one who fell silent (T1)
    peers = len(talker.events("answer_failed"))
    talker.context.set_offline(False)
    talker.wait_for("link", 4, timeout_ms=15_000)
    talker.face("idle", timeout_ms=15_000)
    assert [e["state"] for e in talker.events("link")][-2:] == ["reconnecting", "up"]
    assert [e["state"] for e in talker.events("media")] == ["connecting", "connected"], "media went on meanwhile"
    assert "socket_lost" in [e["reason"] for e in talker.events("ice_restart")]
    assert len(talker.events("answer_failed")) == peers == 0
    talker.key_down()
    talker.face("talking")
    listener.face("taken")
    talker.key_up()


def test_a_hidden_page_counts_as_deaf_until_its_sound_is_seen_to_go_on(pair: tuple[Officer, Officer]) -> None:
    officer, other = pair
    officer.page.wait_for_function(HEARS, timeout=LONG_MS)
    other.page.wait_for_function(f"{LISTENING} >= 2", timeout=LONG_MS)
    other.page.evaluate(COUNT)
    officer.page.evaluate(HOLD_SOUND)
    officer.page.evaluate(LOST_KEYS["page hidden"])
    officer.page.wait_for_function(
        "window.__poc.events.some(e => e.name === 'listening' && e.reason === 'hidden')", timeout=LONG_MS
    )
    other.page.wait_for_function(FELL, timeout=LONG_MS)
    officer.page.evaluate("letSoundGoOn()")
    hidden = len(officer.events("listening"))
    officer.wait_for("listening", hidden + 2, timeout_ms=LONG_MS)
    assert officer.events("listening")[-1]["reason"] is None
