"""Draws every state of the officer's page in both languages and sizes, from a real server.

python -m tools.pictures.officer [zh-CN | en] [console]
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.long_wall import made_groups
from tests.support.chromium import LOOPBACK, chromium
from tests.support.city import ROOT, City, running_city
from tests.support.console import Console
from tests.support.officer import Officer
from tools.pictures import OUT, publish

LANGUAGES = ("zh-CN", "en")
SIZES = ((360, 640), (1440, 900))
GROUP, BROADCAST = "滨江巡查组", "全市广播"
DISTRICTS, TEAMS = ("江岸", "桥口", "汉阳", "青山", "洪山"), ("巡查一组", "巡查二组", "应急组", "市政组")
UNTOUCHED_MS = 1_500
PANEL_MS = 1_500
"""A panel asks the server before it shows all it has."""

REFUSED = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); };"
MISSING = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotFoundError'); };"
LOST = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
    const stream = await open(wanted);
    setTimeout(() => stream.getAudioTracks()[0].dispatchEvent(new Event('mute')), 300);
    return stream;
};
"""
INSECURE = "Object.defineProperty(window, 'isSecureContext', {get: () => false});"
ASK = "navigator.permissions.query = async () => Object.assign(new EventTarget(), {state: 'prompt'});"
NO_UDP = """
const take = RTCPeerConnection.prototype.setRemoteDescription;
RTCPeerConnection.prototype.setRemoteDescription = function (offer) {
    return take.call(this, {...offer, sdp: offer.sdp.replace(/^a=candidate:.*\\r\\n/gm, '')});
};
"""


PATIENT = """
const wait = window.setTimeout.bind(window);
window.setTimeout = (then, ms, ...rest) => wait(then, ms === 5000 ? 60_000 : ms, ...rest);
"""
"""The page does not give up its media path while its picture is taken."""
SLOW = """
const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => new Promise((given) => {
    window.give = () => given(open(wanted));
});
navigator.permissions.query = async () => Object.assign(new EventTarget(), {state: 'granted'});
"""


class Album:
    """Takes a page at both sizes."""

    def __init__(self, language: str) -> None:
        self.suffix = "" if language == "zh-CN" else f"-{language}"

    def take(self, page: Page, name: str) -> None:
        for size in reversed(SIZES):  # the phone's size last: it is the one that officers are operated in
            page.set_viewport_size({"width": size[0], "height": size[1]})
            self.snap(page, name, size)

    def snap(self, page: Page, name: str, size: tuple[int, int]) -> None:
        page.screenshot(path=OUT / f"{name}-{size[0]}x{size[1]}{self.suffix}.png")


def main(languages: Sequence[str], only_console: bool = False) -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for language in languages:
            with running_city(Path(folder) / language) as city:
                with chromium(playwright) as browser:
                    drawn = Pictures(browser, city, language)
                    drawn.consoles() if only_console else drawn.all()
                if not only_console:
                    with chromium(playwright, flags=LOOPBACK) as browser:
                        Pictures(browser, city, language).locked()


class Pictures:
    def __init__(self, browser: Browser, city: City, language: str) -> None:
        self.browser, self.city, self.language = browser, city, language
        self.album = Album(language)
        self.init = f"localStorage.setItem('poc.language', '{language}');"

    def all(self) -> None:
        self.start_pages()
        self.obstacles()
        self.beginnings()
        self.on_air()
        self.queue()
        self.taken_away()
        self.denied()
        self.releasing()
        self.without_group()
        self.network()
        self.consoles()

    def officer(self, badge: str, init: str = "") -> Officer:
        officer = Officer(self.browser, self.city, badge, init=self.init + init)
        officer.select(GROUP)
        officer.face("idle")
        return officer

    def untouched(self, path: str, init: str = "") -> Page:
        context = self.browser.new_context(viewport={"width": 360, "height": 640})
        context.add_init_script(self.init + init)
        page = context.new_page()
        page.goto(self.city.url + path)
        return page

    def start_pages(self) -> None:
        for name, path in (("start", "/"), ("enrol", "/enrol/4J7W-9QKD")):
            page = self.untouched(path)
            page.locator("main button").first.wait_for()
            self.album.take(page, name)

    def obstacles(self) -> None:
        for name, init in (
            ("microphone_ask", ASK),
            ("microphone_refused", REFUSED),
            ("microphone_missing", MISSING),
            ("microphone_lost", LOST),
            ("insecure", INSECURE),
            ("no_media_path", NO_UDP),
        ):
            self.obstacle(name, init)
        same = f"{self.init}sessionStorage.setItem('poc.device', 'd-one');"
        first = Officer(self.browser, self.city, "BJ-001", init=same)
        second = Officer(self.browser, self.city, "BJ-001", init=same)
        first.page.locator('[data-obstacle="dismissed"]').wait_for()
        self.album.take(first.page, "dismissed")
        closed(first, second)

    def obstacle(self, name: str, init: str = "") -> None:
        people = self.city.get("/api/v1/demo/people")
        page = self.untouched(f"/talk?as={people[0]['id']}", init)
        page.wait_for_timeout(UNTOUCHED_MS)
        page.locator(f'[data-obstacle="{name}"]').wait_for(timeout=20_000)
        self.album.take(page, name)
        page.context.close()

    def beginnings(self) -> None:
        """What a page shows before it can talk."""
        early = Officer(self.browser, self.city, "BJ-001", init=self.init + PATIENT + NO_UDP, connected=False)
        early.face("connecting")
        self.album.take(early.page, "connecting")
        early.key_down()
        early.face("no_path_yet")
        self.album.take(early.page, "no_path_yet")
        early.key_up()
        closed(early)
        cold, other = self.officer("BJ-001", SLOW), self.officer("BJ-002")
        cold.key_down()
        cold.face("microphone_starting")
        self.album.take(cold.page, "microphone_starting")
        cold.page.evaluate("give()")
        cold.key_up()
        closed(cold, other)

    def locked(self) -> None:
        self.obstacle("sound_locked")

    def on_air(self) -> None:
        talker, listener = self.officer("BJ-001"), self.officer("BJ-002")
        self.album.take(talker.page, "idle")
        talker.page.locator("button.group").click()
        self.album.take(talker.page, "groups")
        talker.page.locator(".drawer-head button").click()
        talker.key_down()
        talker.face("talking")
        self.album.take(talker.page, "talking")
        self.album.take(listener.page, "taken")
        talker.face("ending", timeout_ms=25_000)
        self.album.take(talker.page, "ending")
        talker.key_up()
        talker.select(BROADCAST)
        talker.face("listen_only")
        self.album.take(talker.page, "listen_only")
        closed(talker, listener)

    def queue(self) -> None:
        first, second = self.officer("BJ-001"), self.officer("BJ-002")
        first.key_down()
        first.face("talking")
        second.key_down()
        second.face("queued")
        self.album.take(second.page, "queued")
        first.key_up()
        second.face("talking")
        second.key_up()
        second.face("idle")
        for size in SIZES:  # the beep before the microphone opens is short: a picture each time
            second.page.set_viewport_size({"width": size[0], "height": size[1]})
            first.key_down()
            second.face("taken")
            second.key_down()
            second.face("queued")
            first.key_up()
            second.face("get_ready")
            self.album.snap(second.page, "get_ready", size)
            second.key_up()
            second.face("idle")
            first.face("idle")
        closed(first, second)

    def taken_away(self) -> None:
        talker, dispatcher = self.officer("BJ-001"), self.officer("PQ-001")
        for face in ("revoked_grace", "revoked"):
            talker.key_down()
            talker.face("talking")
            dispatcher.key_down()
            talker.face(face)
            self.album.take(talker.page, face)
            dispatcher.face("talking")
            dispatcher.key_up()
            talker.key_up()
            talker.face("idle", timeout_ms=20_000)
        closed(talker, dispatcher)

    def denied(self) -> None:
        alone = self.officer("BJ-001")
        alone.key_down()
        alone.face("denied")
        self.album.take(alone.page, "denied")
        alone.key_up()
        closed(alone)

    def releasing(self) -> None:
        """The key is up, and a server that says nothing has not heard of it."""
        talker, other = self.officer("BJ-001"), self.officer("BJ-002")
        talker.key_down()
        talker.face("talking")
        self.city.process.send_signal(signal.SIGSTOP)
        talker.key_up()
        talker.face("releasing")
        self.album.take(talker.page, "releasing")
        self.city.process.send_signal(signal.SIGCONT)
        talker.face("idle", timeout_ms=20_000)
        closed(talker, other)

    def without_group(self) -> None:
        """One whom nobody has put into a group yet."""
        people = self.city.get("/api/v1/demo/people")
        administrator = next(each["id"] for each in people if each["badge"] == "XT-001")
        token = self.city.post(f"/api/v1/demo/people/{administrator}/step-in")["access_token"]
        unit = self.city.get("/api/v1/me", token)["units"][0]["id"]
        self.city.post("/api/v1/people", {"name": "周新来", "unit": unit, "badge": "BJ-900"}, token)
        newcomer = Officer(self.browser, self.city, "BJ-900", init=self.init)
        newcomer.face("no_group")
        self.album.take(newcomer.page, "no_group")
        closed(newcomer)

    def network(self) -> None:
        officer, other = self.officer("BJ-001"), self.officer("BJ-002")
        stopped = self.city.process
        stopped.send_signal(signal.SIGSTOP)
        officer.key_down()
        officer.face("requesting")
        self.album.take(officer.page, "requesting")
        officer.face("no_answer")
        self.album.take(officer.page, "no_answer")
        stopped.send_signal(signal.SIGCONT)
        officer.key_up()
        officer.face("idle", timeout_ms=20_000)
        officer.context.set_offline(True)
        officer.key_down()
        officer.face("no_network")
        self.album.take(officer.page, "no_network")
        officer.key_up()
        other.page.evaluate("WebSocket.prototype.send = function () { this.close(); }")
        other.face("reconnecting", timeout_ms=15_000)
        self.album.take(other.page, "reconnecting")
        closed(officer, other)

    def consoles(self) -> None:
        self.console()
        self.wall()  # last, for its channels stay

    def wall(self) -> None:
        """More channels than large cards have room for, and who talks among them."""
        names = [f"{district}{team}" for district in DISTRICTS for team in TEAMS]
        # Who was in a call of the desk's is brought into it again.
        made_groups(self.browser, self.city, names, "PQ-001", "BJ-004")
        one, two = self.officer("BJ-003"), Officer(self.browser, self.city, "BJ-004", init=self.init)
        two.select(names[-1])
        desk = Console(self.browser, self.city, "PQ-001", init=self.init)
        for name in (GROUP, names[-1]):
            desk.channel(name).and_(desk.page.locator('[data-heard="true"]')).wait_for()
        for talker in (one, two):
            talker.key_down()
            talker.face("talking")
        desk.page.locator(".on-air button").nth(1).wait_for()
        desk.page.wait_for_timeout(PANEL_MS)
        self.album.snap(desk.page, "console_wall", SIZES[1])
        for talker in (one, two):
            talker.key_up()
        desk.context.close()
        closed(one, two)

    def console(self) -> None:
        """The dispatcher's desk, and what reaches the officer from it."""
        one, two = self.officer("BJ-001"), self.officer("BJ-002")
        desk = Console(self.browser, self.city, "PQ-001", init=self.init)
        size = SIZES[1]
        one.key_down()
        one.face("talking")
        two.key_down()
        two.face("queued")
        desk.channel(GROUP).locator(".queue").wait_for()
        self.album.snap(desk.page, "console", size)
        two.key_up()
        one.key_up()
        desk.key("g")
        draw = desk.page.locator(".area-tools button").first
        draw.click()  # with what there is only while an area is drawn
        desk.page.wait_for_timeout(PANEL_MS)
        self.album.snap(desk.page, "console_map", size)
        draw.click()
        for keys, name in (
            (("Shift+Slash",), "console_keys"),
            (("Escape", "h"), "console_handover"),
            (("Escape", "o"), "console_monitor"),
            (("Escape", "p", "PageDown"), "console_person"),
            (("f", "PageDown", "f", "n"), "console_temporary"),
            (("Enter",), ""),
            (("c",), "console_calls"),
            (("Escape",), "console_in_call"),
            (("Backspace",), ""),
        ):
            desk.key(*keys)
            desk.page.wait_for_timeout(PANEL_MS)
            if name:
                self.album.snap(desk.page, name, size)
        wall = 1920, 1080
        desk.page.set_viewport_size({"width": wall[0], "height": wall[1]})
        self.album.snap(desk.page, "console", wall)
        desk.page.set_viewport_size({"width": size[0], "height": size[1]})
        desk.key("w")
        desk.page.locator(".threads button", has_text=GROUP).click()
        desk.page.locator(".thread input").fill("请到中山路口")
        desk.key("Enter")
        one.page.locator("button.group .unread").wait_for()
        self.album.snap(desk.page, "console_messages", size)
        one.page.locator("button.group").click()
        for tab, name in ((1, "messages"), (2, "contacts")):
            one.page.locator(".drawer [role=tab]").nth(tab).click()
            one.page.wait_for_timeout(PANEL_MS)
            self.album.take(one.page, name)
        desk.context.close()
        closed(one, two)


def closed(*officers: Officer) -> None:
    for officer in officers:
        officer.context.close()


if __name__ == "__main__":
    os.chdir(ROOT)
    asked = sys.argv[1:]
    main([each for each in LANGUAGES if each in asked] or LANGUAGES, only_console="console" in asked)
    publish()
