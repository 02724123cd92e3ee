"""Draws what officer, leader and dispatcher see of an emergency: python -m tools.pictures.emergency."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.chromium import chromium
from tests.support.city import ROOT, City, running_city
from tests.support.console import Console
from tests.support.officer import Officer
from tools.pictures import OUT, publish

PHONE, DESK = (360, 640), (1440, 900)
GROUP = "滨江巡查组"
HOLD_MS, COUNTDOWN_MS = 300, 5_000
WORDS = {
    "zh-CN": {"text": "台风红色预警，全体人员立即撤离低洼地带", "roll": "二十点整点名", "plan": "防汛一级响应"},
    "en": {
        "text": "Typhoon, red: leave the low ground at once",
        "roll": "Roll call at 20:00",
        "plan": "Flood, level one",
    },
}


class Pictures:
    """All pictures of one language, in one city that counts down."""

    def __init__(self, browser: Browser, city: City, language: str) -> None:
        self.browser, self.city, self.words = browser, city, WORDS[language]
        self.suffix = "" if language == "zh-CN" else f"-{language}"
        self.init = f"localStorage.setItem('poc.language', '{language}');"

    def all(self) -> None:
        desk = Console(self.browser, self.city, "PQ-001", init=self.init)
        pocket = Officer(self.browser, self.city, "PQ-001", init=self.init)
        officer = Officer(self.browser, self.city, "BJ-001", init=self.init)
        officer.select(GROUP)
        officer.face("idle")
        self.sos(officer, desk, pocket)
        self.broadcasts(officer)
        for each in (desk, pocket, officer):
            each.context.close()

    def sos(self, officer: Officer, desk: Console, pocket: Officer) -> None:
        self._hold(officer)
        officer.page.locator('.sos[data-state="counting"]').wait_for()
        self.take(officer.page, "sos_counting", PHONE)
        officer.page.locator(".sos-word button").click()
        officer.context.set_offline(True)
        self._hold(officer)
        officer.page.locator('.sos[data-state="not_sent"]').wait_for()
        self.take(officer.page, "sos_not_sent", PHONE)
        officer.context.set_offline(False)
        officer.page.locator('.sos[data-state="confirmed"]').wait_for()
        self.take(officer.page, "sos_sent", PHONE)
        desk.page.locator(".alert").wait_for()
        self.take(desk.page, "alert_console", DESK)
        pocket.page.locator(".alert").wait_for()
        self.take(pocket.page, "alert_pocket", PHONE)
        desk.page.locator(".alert button.primary").click()
        desk.page.locator('.alert[data-state="claimed"]').wait_for()
        desk.page.locator(".alert button.primary").click()
        desk.page.locator('.alert[data-state="acknowledged"]').wait_for()
        self.take(desk.page, "alert_taken", DESK)
        self.take(officer.page, "sos_acknowledged", PHONE)
        for _ in range(2):  # asked once more
            desk.page.locator(".alert .acts button").nth(0).click()
        desk.page.locator(".alert").wait_for(state="detached")

    def broadcasts(self, officer: Officer) -> None:
        leader = Officer(self.browser, self.city, "LD-001", init=self.init, page="leader")
        self.take(leader.page, "leader", PHONE)
        page = leader.page
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        for tab in ("people", "area", "plans"):
            page.locator(f'[data-tab="{tab}"]').click()
            page.wait_for_timeout(1_000)
            page.locator(".pick").scroll_into_view_if_needed()
            self.take(page, f"leader_{tab}", DESK)
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.locator('[data-tab="groups"]').click()
        for kind, key in (("text", "button.primary"), ("roll", "button.roll-call")):
            if kind == "text":
                page.locator(".say .check input").first.check()
            page.locator("textarea").first.fill(self.words[kind])
            page.locator(f".say form {key}").click()
            officer.page.locator(".affairs .message", has_text=self.words[kind]).wait_for()
        self.take(officer.page, "broadcasts", PHONE)
        officer.page.locator(".affairs .message button.primary").last.click()
        page.locator(".tallies li").first.get_by_text("1 ").first.wait_for()
        page.locator(".tallies li [aria-expanded]").first.click()
        page.locator(".report tbody tr").first.wait_for()
        self.take(page, "leader_receipts", DESK)
        page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        page.locator("button.emergency").click()
        page.locator(".running").wait_for()
        officer.page.locator(".affairs .brought").wait_for()
        self.take(page, "leader_call", DESK)
        self.take(officer.page, "emergency_call", PHONE)
        page.locator(".running .end").click()
        leader.context.close()

    def take(self, page: Page, name: str, size: tuple[int, int]) -> None:
        """At both sizes; it goes on in its own."""
        for width, height in (DESK, PHONE):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=OUT / f"{name}-{width}x{height}{self.suffix}.png")
        page.set_viewport_size({"width": size[0], "height": size[1]})

    @staticmethod
    def _hold(officer: Officer) -> None:
        key = officer.page.locator(".sos-key").bounding_box()
        assert key is not None
        officer.page.mouse.move(key["x"] + key["width"] / 2, key["y"] + key["height"] / 2)
        officer.page.mouse.down()
        officer.page.wait_for_timeout(HOLD_MS + 300)
        officer.page.mouse.up()


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    env = {"POC_EMERGENCY__HOLD_MS": str(HOLD_MS), "POC_EMERGENCY__COUNTDOWN_MS": str(COUNTDOWN_MS)}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        for language in WORDS:
            with running_city(Path(folder) / language, env=env) as city, chromium(playwright) as browser:
                Pictures(browser, city, language).all()


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
    publish()
