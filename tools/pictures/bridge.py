"""Draws the pictures of docs/bridge.md from a real city and a simulated case system: -m tools.pictures.bridge."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.gateway.bridged import Bridged, until
from tests.support.chromium import chromium
from tests.support.officer import Officer
from tools.day.stage import SPEECH, CityApi
from tools.day.story import LOOKS_S
from tools.pictures import OUT, publish

DESK = {"width": 1440, "height": 900}
PHONE = {"width": 360, "height": 640}
CODE = "E0403202607150017"
SETUP = """
hang_minutes = 0.02

[retry]
delays_s = [0.2]
give_up_days = 0.00002
probe_cap_s = 0.5

[[senders]]
id = "cases"
proof = {{ kind = "api_key", keys = ["{key}"] }}

[[receivers]]
id = "cases"
url = "http://127.0.0.1:{port}/hook"
secrets = ["{secret}"]

[[receivers]]
id = "statistics"
url = "http://127.0.0.1:9/poc"
secrets = ["{secret}"]
"""
CASES: tuple[dict[str, Any], ...] = (
    {"title": "沿江大道井盖缺失", "supervised": True, "address": "沿江大道 118 号", "limits": 1_800_000},
    {"title": "解放公园暴露垃圾", "address": "解放公园东门", "limits": 7_200_000},
    {"title": "车站路占道经营", "address": "车站路 6 号", "limits": 60},
    {"title": "二七路路灯不亮", "address": "二七路与京汉大道路口", "state": "suspended"},
    {"title": "三阳路护栏损坏", "address": "三阳路地铁站 B 口", "state": "feedback"},
    {"title": "一元路积水", "address": "一元路 22 号", "state": "closed"},
)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        Bridged(Path(folder), SETUP) as both,
        chromium(playwright, SPEECH / "zh-report.wav") as browser,
    ):
        officer = cases(both, browser)
        for language, suffix in (("zh-CN", ""), ("en", "-en")):
            Pictures(both, browser, language, suffix).all(officer)


def cases(both: Bridged, browser: Browser) -> Officer:
    """A morning's cases, and one of them with voices and answers."""
    people = both.people()
    crew = [{"kind": "user", "id": people[badge]} for badge in ("BJ-001", "BJ-002", "DH-001")]
    api = CityApi(both.url)
    officer, other = (Officer(browser, api, badge, query="") for badge in ("BJ-001", "BJ-002"))  # type: ignore[arg-type]
    urgent = {"title": "中山路路面塌陷", "urgent": True, "address": "中山路与解放路路口", "level": "I", "parties": crew}
    both.poc("PUT", f"/incidents/{CODE}", {**urgent, "description": "路面塌陷约两平方米，有车辆受困"})
    for number, case in enumerate(CASES):
        allowed = case.get("limits")
        limits = {"limits": [{"stage": "dispatch", "allowed_ms": allowed}]} if allowed else {}
        code = f"C010120260715{number + 1:04}"
        # A supervised case takes phones with it: this officer's stays where the pictures want it.
        parties = crew[1:] if case.get("supervised") else crew[: number % 3 + 1]
        both.poc("PUT", f"/incidents/{code}", {**case, **limits, "parties": parties, "version": 1})
    both.poc("POST", "/senders/cases/news", {"code": "E0403202607150018", "title": "路灯", "parties": "环卫一队"})
    both.poc("PUT", f"/incidents/{CODE}", {"parties": [*crew, {"kind": "unit", "id": "河道巡查队"}]})
    for each in (officer, other):
        each.wait_for("switched", 1, 15_000)
    officer.page.locator(".switched").wait_for()
    officer.page.locator(".incidents li").nth(1).wait_for()
    time.sleep(LOOKS_S)
    for _ in range(2):
        officer.key_down()
        officer.face("talking")
        time.sleep(3)  # so long he speaks
        officer.key_up()
        officer.face("idle")
    officer.page.locator(f'.incidents li[data-code="{CODE}"] .tap').click()
    until("both bursts are told", lambda: kinds(both).count("burst.recorded") >= 2)
    return officer


def kinds(both: Bridged) -> list[str]:
    return [str(event["type"]).removeprefix("poc.incident.") for event in both.told()["received"]]


class Pictures:
    """The pages in one language."""

    def __init__(self, both: Bridged, browser: Browser, language: str, suffix: str) -> None:
        self.both, self.browser, self.language, self.suffix = both, browser, language, suffix

    def all(self, officer: Officer) -> None:
        self.console()
        self.desk()
        self.log()
        other = officer.page.locator("header button", has_text=OTHER[self.language])
        if other.count():  # it is in the other language now
            other.click()
        officer.page.locator(f'.incidents li[data-code="{CODE}"]').wait_for()
        self.snap(officer.page, "bridge-officer", PHONE)

    def page(self, path: str, size: dict[str, int]) -> Page:
        context = self.browser.new_context(viewport=size, bypass_csp=True, locale=self.language)  # type: ignore[arg-type]
        context.add_init_script(f"localStorage.setItem('poc.language', '{self.language}')")
        page = context.new_page()
        page.goto(path if path.startswith("http") else f"{self.both.url}{path}")
        return page

    def snap(self, page: Page, name: str, size: dict[str, int]) -> None:
        page.screenshot(path=OUT / f"{name}-{size['width']}x{size['height']}{self.suffix}.png")

    def console(self) -> None:
        page = self.page(f"/console?as={self.both.people()['PQ-001']}", DESK)
        page.locator(".channel").first.wait_for()
        page.get_by_role("tab").nth(1).click()
        page.locator(".cases .case").first.wait_for()
        self.snap(page, "bridge-cases", DESK)
        page.locator(f'[data-code="{CODE}"] .case').click()
        page.locator(".timeline .play").first.wait_for()
        page.locator(".written button").click()
        page.locator(".written .none, .written li").first.wait_for()
        page.locator(".case-detail").evaluate("detail => detail.scrollIntoView()")
        self.snap(page, "bridge-case", DESK)
        page.context.close()

    def desk(self) -> None:
        people = CityApi(self.both.url).get("/api/v1/demo/people")
        admin = next(person["id"] for person in people if "system_admin" in person["roles"])
        for size in (DESK, PHONE):
            page = self.page(f"/talk?as={admin}", size)  # this signs him in
            page.locator(".page").first.wait_for()
            page.goto(f"{self.both.url}/admin")
            page.locator(".admin nav button").first.wait_for()
            page.locator(".admin nav button", has_text=TAB[self.language]).click()
            page.locator(".letters li").first.wait_for()
            self.snap(page, "bridge-desk", size)
            page.context.close()

    def log(self) -> None:
        _, link = self.both.poc("POST", f"/incidents/{CODE}/log-link")
        for size in (DESK, PHONE):
            page = self.page(str(link["url"]), size)
            self.snap(page, "bridge-log", size)
            page.context.close()


OTHER = {"zh-CN": "中文", "en": "English"}
"""What the page's button says that turns it to this language."""
TAB = {"zh-CN": "案件系统对接", "en": "Case systems"}

if __name__ == "__main__":
    main()
    publish()
