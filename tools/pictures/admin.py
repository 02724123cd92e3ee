"""Draws the administrators' pages, from a server that is lived in: python -m tools.pictures.admin."""

from __future__ import annotations

import datetime as dt
import json
import os
import tempfile
import time
import urllib.error
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.chromium import chromium
from tests.support.city import ROOT, City, fetch, running_city
from tests.support.founded import found
from tools.pictures import OUT, publish

SIZES = ((1440, 900), (360, 640))
SETTLE_MS = 700
"""A list asks the server before it shows all it has; so does a panel."""
HOUR_MS = 3_600_000
PATIENCE = 100
NEIGHBOUR = "临江市公安局"

LISTS = {
    "XT-001": ("people", "units", "groups", "duty", "cells", "sheets"),
    "AQ-001": ("devices", "sessions", "sharing", "retention"),
    "SJ-001": ("audit",),
}
"""Which administrator's lists are drawn; the badges are of the demo city."""


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        running_city(Path(folder) / "city") as city,
        chromium(playwright) as browser,
    ):
        lived_in(city)
        for language in ("zh-CN", "en"):
            for badge, lists in LISTS.items():
                draw(browser, city, language, badge, lists)


def draw(browser: Browser, city: City, language: str, badge: str, lists: tuple[str, ...]) -> None:
    user = next(each for each in city.get("/api/v1/demo/people") if each["badge"] == badge)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=language)
    context.add_init_script(f"localStorage.setItem('poc.language', '{language}');")
    page = context.new_page()
    page.goto(f"{city.url}/admin?as={user['id']}")
    for name in lists:
        page.locator(f".admin nav button[data-list={name}]").click()
        page.wait_for_timeout(SETTLE_MS)
        suffix = "" if badge != "AQ-001" or name != "devices" else "_disable"
        if suffix:
            page.locator("td.acts button").first.click()
        take(page, f"admin_{name}{suffix}", language)
        opened = page.locator("main button.open, main td button.open").first
        if name in ("people", "groups", "duty", "cells") and opened.count():
            opened.click()
            page.locator(".editor .fields").wait_for()
            page.wait_for_timeout(SETTLE_MS)
            take(page, f"admin_{name}_open", language)
            page.locator(".editor header button").click()
    context.close()


def take(page: Page, name: str, language: str) -> None:
    suffix = "" if language == "zh-CN" else f"-{language}"
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=OUT / f"{name}-{width}x{height}{suffix}.png")
    page.set_viewport_size({"width": SIZES[0][0], "height": SIZES[0][1]})


def lived_in(city: City) -> None:
    """Shifts, devices, a share with another agency, something refused: what a list is about."""
    tokens = {badge: Caller(city, step_in(city, badge)) for badge in LISTS}
    system, security = tokens["XT-001"], tokens["AQ-001"]
    people = system.ask("GET", "/people?limit=200&role=officer")["items"]
    shifts(system, people)
    for person, phone in zip(people, ("执法记录仪 07", "巡查手机 12", "车载台 03"), strict=False):
        link = system.ask("POST", f"/people/{person['id']}/enrolments", {})
        body = {"code": link["path"].rsplit("/", 1)[1], "device": phone}
        city.post("/api/v1/auth/enrol", body)
    system.ask("PUT", f"/people/{people[0]['id']}/roles", {"roles": ["dispatcher"]})
    security.ask("PUT", f"/people/{people[0]['id']}/roles", {"roles": ["officer", "dispatcher"]})
    shares(city, security)
    keeping(security)


def keeping(security: Caller) -> None:
    """A longer term for one group, and two holds."""
    group = security.ask("GET", "/groups?limit=1")["items"][0]["id"]
    security.ask("PUT", f"/retention/rules/group/{group}", {"days": 1095})
    security.ask("PUT", "/retention/rules/incident/E01022026110000017", {"days": None})
    begun = int(dt.datetime(2026, 11, 3, tzinfo=dt.UTC).timestamp() * 1000)
    day = {"from_ms": begun, "until_ms": begun + 24 * HOUR_MS}
    security.ask("POST", "/retention/holds", {"kind": "group", "target": group, "reason": "法院调取证据", **day})
    case = {"kind": "incident", "target": "E01022026110000021", "reason": "行政复议期间"}
    security.ask("POST", "/retention/holds", case)


def shifts(system: Caller, people: list[dict[str, Any]]) -> None:
    today = int(dt.datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
    units: dict[str, list[str]] = {}
    for person in people:
        units.setdefault(person["unit"], []).append(person["id"])
    for day in range(3):
        for unit, members in list(units.items())[:3]:
            for name, starts, mine in (("白班", 8, members[::2]), ("夜班", 20, members[1::2])):
                at = today + (day * 24 + starts) * HOUR_MS
                body = {"unit": unit, "name": name, "starts_ms": at, "ends_ms": at + 12 * HOUR_MS, "users": mine}
                system.ask("POST", "/shifts", body)
    for unit, members in list(units.items())[:2]:
        at = today - 4 * HOUR_MS
        body = {"unit": unit, "name": "值守", "starts_ms": at, "ends_ms": at + 30 * HOUR_MS, "users": members[:5]}
        system.ask("POST", "/shifts", body)


def shares(city: City, security: Caller) -> None:
    """One group offered, another shared; the neighbour offers one, too."""
    neighbour = neighbours(city)
    theirs = neighbour.ask("GET", "/me")["agency"]["id"]
    ours = security.ask("GET", "/me")["agency"]["id"]
    first, second = security.ask("GET", "/groups?limit=2")["items"]
    for group in (first, second):
        security.ask("PUT", f"/groups/{group['id']}/shares/{theirs}")
    neighbour.ask("POST", f"/shares/{first['id']}/grant")
    unit = neighbour.system.ask("POST", "/units", {"name": "沿江分局"})["id"]
    group = neighbour.system.ask("POST", "/groups", {"name": "跨江联勤", "unit": unit})["id"]
    neighbour.ask("PUT", f"/groups/{group}/shares/{ours}")


def neighbours(city: City) -> Caller:
    """Another agency beside the demo's: its security administrator, and through him its system administrator."""
    links = found(city.data, NEIGHBOUR, city.url)
    system, security, _ = (Caller(city, enrolled(city, link.rsplit("/", 1)[1])) for link in links)
    security.system = system
    return security


def enrolled(city: City, code: str) -> str:
    """The server learns of people whom another process made at its next poll."""
    for _ in range(PATIENCE):
        try:
            token: str = city.post("/api/v1/auth/enrol", {"code": code, "device": "管理台"})["access_token"]
        except urllib.error.HTTPError as problem:
            if problem.code != 404:
                raise
            time.sleep(0.2)
        else:
            return token
    raise RuntimeError("the server does not know the new agency")


def step_in(city: City, badge: str) -> str:
    user = next(each for each in city.get("/api/v1/demo/people") if each["badge"] == badge)
    token: str = city.post(f"/api/v1/demo/people/{user['id']}/step-in")["access_token"]
    return token


class Caller:
    """The API in the name of one person; what is refused is part of the picture, and passed over."""

    system: Caller

    def __init__(self, city: City, token: str) -> None:
        self.city, self.token = city, token

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if path.endswith("/roles"):
            headers["If-Match"] = "*"
        try:
            text = fetch(method, f"{self.city.url}/api/v1{path}", headers, None if body is None else json.dumps(body))
        except urllib.error.HTTPError as problem:
            if problem.code == 403:
                return None
            raise RuntimeError(f"{method} {path}: {problem.read().decode()}") from None
        return json.loads(text) if text else None


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
    publish()
