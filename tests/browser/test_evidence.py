"""Nothing said is lost, as an officer sees it: what he missed, a burst from its start, a photo without a network."""

from __future__ import annotations

import io
import json
import os
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from poc_server.store.ids import now_ms
from tests.browser.conftest import SPEECH
from tests.gateway.bridged import call, until
from tests.recording.pictures import announcement, png
from tests.support.chromium import chromium
from tests.support.city import City, running_city
from tests.support.officer import Officer

pytestmark = pytest.mark.browser

WAIT_MS = 30_000
NO_OGG = """
const can = HTMLMediaElement.prototype.canPlayType;
HTMLMediaElement.prototype.canPlayType = function (type) { return type.includes('ogg') ? '' : can.call(this, type); };
"""
"""As iOS was before 18.4."""
PICTURE = """() => { const c = new OffscreenCanvas(800, 600); c.getContext('2d').fillRect(0, 0, 400, 300);
    return c.convertToBlob({type: 'image/jpeg'}).then(b => b.arrayBuffer()).then(b => [...new Uint8Array(b)]); }"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with running_city(tmp_path_factory.mktemp("evidence") / "city", first=True) as running:
        yield running


@pytest.fixture
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright, SPEECH / "zh-report.wav") as found:
        yield found


def say(officer: Officer, ms: int) -> None:
    officer.key_down()
    officer.face("talking", WAIT_MS)
    officer.page.wait_for_timeout(ms)  # how long he speaks
    officer.key_up()
    officer.face("idle", WAIT_MS)


def shown(page: Page, name: str) -> None:
    """Keeps a picture where one is wanted."""
    if folder := os.environ.get("PICTURES"):
        page.screenshot(path=Path(folder, f"{name}.png"))


def nothing_is_silent_while_the_disk_is_away(city: City, page: Page) -> None:
    """Say again tells why there is nothing to hear, beside its key; with the disk back it is heard."""
    recordings, away = city.data / "recordings", city.data / "not mounted"
    recordings.rename(away)
    page.locator(".say-again").click()
    expect(page.locator(".unheard")).to_have_text("录音磁盘暂时不可用，请稍后再试", timeout=WAIT_MS)
    shown(page, "say-again-away")
    away.rename(recordings)
    page.locator(".say-again").click()
    expect(page.locator(".unheard")).to_have_count(0)
    page.locator('.say-again[aria-pressed="true"]').wait_for(timeout=WAIT_MS)


def test_what_was_missed_is_told_and_played_and_a_late_one_hears_from_the_start(
    city: City, browser: Browser, tmp_path: Path
) -> None:
    talker = Officer(browser, city, "DH-001")
    Officer(browser, city, "DH-003")  # nobody talks alone
    away = Officer(browser, city, "DH-002", init=NO_OGG)
    away.page.goto("about:blank")
    for _ in range(2):
        say(talker, 1_200)
    away.page.goto(f"{city.url}/talk?voice=raw&as={away.user['id']}")
    page = away.page
    page.locator(".missed").wait_for(timeout=WAIT_MS)
    expect(page.locator(".missed .words")).to_contain_text("2")
    expect(page.locator(".missed .words")).to_contain_text(talker.user["name"])
    shown(page, "missed")
    page.locator(".missed .rate").first.click()
    page.locator(".missed .rate").first.click()
    expect(page.locator(".missed .rate").first).to_have_text("2×")
    # As if it were more than the server lists at once: what follows is counted, and then heard as well.
    page.route("**/api/v1/missed?*", lambda route: route.continue_(url=f"{route.request.url}&limit=1"))
    fetched: list[int] = []
    page.on("response", lambda answer: fetched.append(answer.status) if "/audio?as=mp4" in answer.url else None)
    page.locator(".missed .play").click()
    expect(page.locator(".missed .words")).to_contain_text("其后还有 1 条")
    shown(page, "missed-more")
    page.locator(".missed").wait_for(state="detached", timeout=WAIT_MS)
    assert fetched == [200, 200]

    talker.key_down()
    talker.face("talking", WAIT_MS)
    talker.page.wait_for_timeout(2_000)  # what the late one did not hear
    page.reload()
    page.locator(".from-start").wait_for(timeout=WAIT_MS)
    page.locator(".from-start").click()
    page.locator(".from-start[aria-pressed=true]").wait_for(timeout=WAIT_MS)
    shown(page, "from-start")
    page.wait_for_function("window.__poc.events.some(e => e.name === 'caught_up')", timeout=WAIT_MS)
    talker.key_up()
    page.locator(".from-start").wait_for(state="detached", timeout=WAIT_MS)
    # Said again is what was said last, though it ended this moment and its file is still to be made.
    ended = talker.page.evaluate("window.__poc.events.findLast(e => e.name === 'floor_release').burst")
    with (
        page.expect_response(lambda answer: "/last-said" in answer.url) as again,
        page.expect_response(lambda answer: answer.url.endswith("/audio?as=mp4")) as voice,
    ):
        page.locator(".say-again").click()
    page.locator('.say-again[aria-pressed="true"]').wait_for(timeout=WAIT_MS)
    assert again.value.json()["burst"] == ended
    assert (voice.value.status, again.value.json()["id"] in voice.value.url) == (200, True)
    shown(page, "say-again")
    page.locator(".say-again").click()
    page.locator('.say-again[aria-pressed="false"]').wait_for(timeout=WAIT_MS)
    assert away.problems == []
    nothing_is_silent_while_the_disk_is_away(city, page)

    office = Officer(browser, city, "ZB-001", page="recordings", query="group=", connected=False)
    page = office.page
    page.locator(".strip li").nth(1).wait_for(timeout=WAIT_MS)
    expect(page.locator(".strip header").first).to_contain_text(talker.user["name"])
    shown(page, "recordings")
    page.locator(".strip header button").first.click()
    page.locator('.strip li[data-playing="true"]').first.wait_for(timeout=WAIT_MS)
    page.locator("summary").click()
    page.set_viewport_size({"width": 1440, "height": 900})
    shown(page, "recordings-wide")
    archive_is_searched_by_what_is_known(page, talker.user["name"])
    assert office.problems == []
    export_is_read_without_a_server(city, browser, tmp_path)
    photos_are_found_beside_what_was_said(page)
    assert office.problems == []


def looked(page: Page) -> None:
    """Search, and have the answer."""
    with page.expect_response(lambda answer: "/api/v1/recordings?" in answer.url, timeout=WAIT_MS):
        page.locator("button[type=submit]").click()


def archive_is_searched_by_what_is_known(page: Page, talker: str) -> None:
    """Each field with what nothing was said by, and with what something was."""
    strips, word = page.locator(".strip"), page.locator(".word")
    for field, without, within in (
        ("user", "nobody of that name", talker),
        ("group", "no group of that name", "东湖巡查组"),
        ("incident", "NO-SUCH-CASE", ""),
        ("from", "2099-01-01T00:00", "2020-01-01T00:00"),
        ("until", "2020-01-01T00:00", "2099-01-01T00:00"),
        ("shortest", "1000", "0.1"),
        ("longest", "0.1", "1000"),
        ("area", "0,0,1,1", ""),
    ):
        box = page.locator(f"input[name={field}]")
        box.fill(without)
        if field in ("user", "group"):
            expect(page.locator(f"input[name={field}]:invalid")).to_have_count(1, timeout=WAIT_MS)
        else:
            looked(page)
            expect(word).to_have_text("没有符合条件的录音", timeout=WAIT_MS)
            expect(strips).to_have_count(0)
        box.fill(within)
        looked(page)
        expect(strips).not_to_have_count(0, timeout=WAIT_MS)
        expect(word).to_be_empty()
    for level, found in (("2", False), ("", True)):
        page.locator("select[name=tier]").select_option(level)
        looked(page)
        expect(word).to_have_text("" if found else "没有符合条件的录音", timeout=WAIT_MS)
    page.locator("input[name=area]").fill("1,2,3")
    looked(page)
    expect(word).not_to_be_empty(timeout=WAIT_MS)


def photos_are_found_beside_what_was_said(page: Page) -> None:
    """The one that is in the export by now; none where a length is wanted, which only voice has."""
    photos = page.locator(".photos")
    for field in ("area", "shortest", "longest"):
        page.locator(f"input[name={field}]").fill("")
    looked(page)
    expect(photos.locator("summary")).to_contain_text("照片与记录 · 1", timeout=WAIT_MS)
    photos.locator("summary").click()
    expect(photos.locator("li")).to_contain_text("现场全景")
    photos.locator("li button").click()
    page.wait_for_function("document.querySelector('.photos img')?.naturalWidth > 0", timeout=WAIT_MS)
    shown(page, "recordings-photos")
    page.set_viewport_size({"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shown(page, "recordings-photos-small")
    page.locator("input[name=shortest]").fill("0.1")
    looked(page)
    photos.wait_for(state="detached", timeout=WAIT_MS)


def exported(city: City, folder: Path) -> dict[str, Any]:
    """All that was said so far and a photo, as somebody fetches it from the office and unpacks it; its list."""
    people = {person["badge"]: person["id"] for person in city.get("/api/v1/demo/people")}

    def token(badge: str) -> str:
        return str(city.post(f"/api/v1/demo/people/{people[badge]}/step-in")["access_token"])

    office, officer = token("ZB-001"), token("DH-001")
    group = city.get("/api/v1/recordings?limit=1", office)["recordings"][0]["group"]
    picture = png(160, 120)
    place = {"longitude": 121.4737, "latitude": 31.2304, "source": "device", "at_ms": now_ms()}
    cell = {"source": "shell", "id": "460-00-4601-13", "at_ms": now_ms()}
    photo = announcement(picture, group, place=place, cell=cell, origin="gallery", note="现场全景")
    city.post("/api/v1/materials", photo, officer)
    headers = {"Authorization": f"Bearer {officer}", "Upload-Offset": "0"}
    assert call("PATCH", f"{city.url}/api/v1/materials/{photo['id']}/upload", picture, headers)[1]["state"] == "kept"
    wanted = {"title": "东湖巡查 <证据>", "search": {"group": group}}
    made = city.post("/api/v1/exports", wanted, office)
    made = until(
        "it is made", lambda: (m := city.get(f"/api/v1/exports/{made['id']}", office))["state"] != "making" and m
    )
    assert made["state"] == "ready", made
    request = urllib.request.Request(f"{city.url}/api/v1/exports/{made['id']}/file")
    request.add_header("Authorization", f"Bearer {office}")
    with urllib.request.urlopen(request, timeout=30) as answer, zipfile.ZipFile(io.BytesIO(answer.read())) as archive:
        archive.extractall(folder)
    return dict(json.loads((folder / "index.json").read_text("utf-8")))


def export_is_read_without_a_server(city: City, browser: Browser, folder: Path) -> None:
    """By whoever has the unpacked folder: listed, heard and seen from the disk, in Chinese and in English."""
    index = exported(city, folder)
    context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="en-GB")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda said: problems.append(said.text) if said.type in ("error", "warning") else None)
    page.on("request", lambda asked: None if asked.url.startswith("file:") else problems.append(asked.url))
    page.goto((folder / "index.html").as_uri())
    rows = page.locator("tbody tr")
    expect(rows).to_have_count(len(index["recordings"]))
    assert len(index["recordings"]) >= 3
    expect(rows.first).to_contain_text(index["recordings"][0]["talker_name"])
    expect(rows.first).to_contain_text("东湖巡查组")
    expect(rows.first).to_contain_text("key released")
    expect(page.locator("h1")).to_have_text("东湖巡查 <证据>")
    expect(page.locator("#about")).to_contain_text(f"{len(index['recordings'])} recordings")
    expect(page.locator("#about")).to_contain_text("UTC+08:00")
    # The longest: a short one is over, and the next is heard, before a busy machine has looked.
    longest = max(range(len(index["recordings"])), key=lambda at: int(index["recordings"][at]["duration_ms"]))
    rows.nth(longest).click()
    # The page forbids eval, which waiting in the page would need.
    until("it is heard", lambda: page.evaluate("document.querySelector('audio').currentTime") > 0.1)
    expect(rows.nth(longest)).to_have_attribute("aria-current", "true")
    heard = page.evaluate("document.querySelector('audio').duration")
    assert abs(heard - index["recordings"][longest]["duration_ms"] / 1000) < 0.1
    assert page.evaluate("document.querySelector('figure img').naturalWidth") == 160
    expect(page.locator("figcaption")).to_have_text("现场全景")
    expect(page.locator(".mark")).to_contain_text("460-00-4601-13 (shell)")
    expect(page.locator("#map rect.photo")).to_have_count(1)
    shown(page, "export-en")
    page.set_viewport_size({"width": 360, "height": 640})
    page.reload()
    page.locator("#language").click()
    expect(rows.first).to_contain_text("松键")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    shown(page, "export-zh")
    assert problems == []
    context.close()


KEEP_NOTE = """([user, group]) => new Promise((done) => {
  const opening = indexedDB.open("poc-materials", 1);
  opening.onsuccess = () => {
    const change = opening.result.transaction("items", "readwrite");
    change.objectStore("items").put({ id: "note-of-a-gone-case", user, kind: "note", group, incident: null,
      origin: "none", note: "墙体开裂", takenMs: Date.now(), place: null, sha256: "", picture: null, refused: null });
    change.oncomplete = () => done();
  };
})"""
"""As this page keeps a note that is to be sent."""


def test_a_photo_survives_a_closed_page_and_goes_when_there_is_a_network(city: City, browser: Browser) -> None:
    officer = Officer(browser, city, "DH-001")
    page = officer.page
    content = bytes(page.evaluate(PICTURE))
    page.route("**/api/v1/materials**", lambda route: route.abort())
    page.locator(".evidence-key").click()
    page.locator(".evidence textarea").fill("占道经营，已劝离")
    picture = {"name": "road.jpg", "mimeType": "image/jpeg", "buffer": content}
    page.locator(".evidence .primary input").set_input_files(picture)  # type: ignore[arg-type]
    page.locator(".on-the-way li", has_text="占道经营").wait_for(timeout=WAIT_MS)
    page.evaluate(KEEP_NOTE, [officer.user["id"], "gr-of-a-case-that-is-gone"])
    page.close()
    page = officer.context.new_page()
    page.goto(f"{city.url}/talk?voice=raw&as={officer.user['id']}")
    # What the server will never take is told, with the reason, in whatever group he is now, and can be dropped.
    page.locator('.evidence-key[data-state="failed"]').wait_for(timeout=WAIT_MS)
    page.locator(".evidence-key").click()
    refused = page.locator('.on-the-way li[data-refused="true"]')
    expect(refused).to_contain_text("其他群组 · 没有这个组")
    page.locator(".sent li", has_text="占道经营").wait_for(timeout=WAIT_MS)
    shown(page, "evidence-refused")
    refused.get_by_role("button", name="删除").click()
    page.locator('.evidence-key[data-state="sent"]').wait_for(timeout=WAIT_MS)
    page.locator(".sent li", has_text="占道经营").locator("button").click()
    page.wait_for_function("document.querySelector('.sent img')?.naturalWidth > 0", timeout=WAIT_MS)
    shown(page, "evidence")
