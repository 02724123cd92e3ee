"""Devices and their remote disabling, duty, grid cells, and a group shared by two agencies: from the pages alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.support.administrators import create, enrolled, page, tab
from tests.support.chromium import chromium
from tests.support.founded import Founded, found, founded

pytestmark = pytest.mark.browser
CELL = "420102001001001"


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founded(tmp_path_factory.mktemp("offices") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as running:
        yield running


def test_what_three_administrators_do_in_a_day(browser: Browser, agency: Founded) -> None:
    system, security = enrolled(browser, agency.links[0]), enrolled(browser, agency.links[1], 360, 640)
    link = people_and_a_group(system)
    give_role(security)
    duty(system)
    cells(system)
    tables(system)
    disabled_at_a_distance(browser, security, system, link)
    shared(browser, agency, security)
    audit(enrolled(browser, agency.links[2], 360, 640))


def people_and_a_group(system: Page) -> str:
    tab(system, "Units")
    create(system, "New unit", name="东湖街道")
    tab(system, "People")
    create(system, "New person", name="王建国", badge="D-1", unit="东湖街道")
    system.locator("button.invite").click()
    field = system.locator("input.link")
    expect(field).to_have_value(re.compile("/enrol/"))
    link = field.input_value()
    links_for_all(system)
    tab(system, "Talk groups")
    create(system, "New group", name="东湖巡查组", unit="东湖街道")
    return link


def links_for_all(system: Page) -> None:
    """Everybody a search found gets a link, in one table to hand out."""
    system.get_by_label("Name, pinyin or badge").fill("wjg")
    system.get_by_role("button", name="Enrolment links (1)").click()
    with system.expect_download() as kept:
        system.get_by_role("button", name="Make a link for each of these 1").click()
    head, *lines = Path(kept.value.path()).read_text(encoding="utf-8-sig").splitlines()
    assert "Enrolment link" in head
    [line] = lines
    assert re.fullmatch(r'"王建国","D-1","东湖街道","http://.+/enrol/.+",".+"', line), line
    expect(system.locator(".links")).to_contain_text("saved as a table: 1")


def give_role(security: Page) -> None:
    security.get_by_label("Name, pinyin or badge").fill("wjg")
    security.locator("td button.open", has_text="王建国").click()
    security.locator(".editor [name=role-officer]").check()
    security.get_by_role("button", name="Save roles").click()
    expect(security.locator(".editor .part").first).to_contain_text("Saved")
    security.locator(".editor header button").click()


def duty(system: Page) -> None:
    """A shift is planned by search, runs, is copied to the next day and taken back."""
    tab(system, "Shifts")
    expect(system.locator(".duty .now")).to_contain_text("No shift runs")
    system.get_by_role("button", name="New shift").click()
    local = "ms => { const at = new Date(Date.now() + ms - new Date().getTimezoneOffset() * 60000);"
    local += " return at.toISOString().slice(0, 16); }"
    system.locator(".editor [name=name]").fill("白班")
    system.locator(".editor [name=unit]").select_option(label="东湖街道")
    system.locator(".editor [name=starts]").fill(system.evaluate(local, -3_600_000))
    system.locator(".editor [name=ends]").fill(system.evaluate(local, 3_600_000))
    system.locator(".editor .finder input").fill("wjg")
    system.locator(".editor .found button", has_text="王建国").click()
    expect(system.locator(".editor .chips")).to_contain_text("王建国")
    system.get_by_role("button", name="Create").click()
    expect(system.locator(".duty .now")).to_contain_text("王建国")
    expect(system.locator(".duty .days")).to_contain_text("白班")
    system.get_by_role("button", name="Copy to the next day").click()
    expect(system.locator(".editor")).to_contain_text("Copied to")
    expect(system.locator(".duty .days .shift")).to_have_count(2)
    system.locator(".editor .danger button").click()
    system.get_by_role("button", name="Delete for good").click()
    expect(system.locator(".duty .days .shift")).to_have_count(1)
    expect(system.locator(".duty .now")).to_contain_text("No shift runs")


def cells(system: Page) -> None:
    """A cell is drawn corner by corner; a line that is none is said before anything is sent."""
    tab(system, "Grid cells")
    system.get_by_role("button", name="New grid cell").click()
    system.locator(".editor [name=code]").fill(CELL)
    system.locator(".editor [name=name]").fill("湖东一号")
    area = system.locator(".editor [name=outline]")
    area.fill("114.30 30.50\nnowhere")
    expect(system.locator(".editor .wrong")).to_contain_text("Line 2")
    area.fill("114.30 30.50\n114.31 30.50\n114.31 30.51")
    system.locator(".editor .finder input").fill("D-1")
    system.locator(".editor .found button", has_text="王建国").click()
    system.get_by_role("button", name="Create").click()
    row = system.locator("tbody tr", has_text=CELL)
    expect(row).to_contain_text("3 corners")
    expect(row).to_contain_text("王建国")
    expect(system.locator(".editor h2")).to_have_text(CELL)
    # What is there already is not written over by mistake.
    system.get_by_role("button", name="New grid cell").click()
    system.locator(".editor [name=code]").fill(CELL)
    system.get_by_role("button", name="Create").click()
    expect(system.locator(".editor .problem")).to_be_visible()
    # What was entered is not lost by a click elsewhere.
    tab(system, "People")
    system.get_by_role("button", name="Go on editing").click()
    expect(system.locator(".editor [name=code]")).to_have_value(CELL)
    system.locator(".editor header button").click()
    system.get_by_role("button", name="Discard them").click()
    expect(system.locator(".editor")).to_have_count(0)


def tables(system: Page) -> None:
    """A table of groups: what it would do is told line by line, then it is done."""
    tab(system, "Import and export")
    system.locator("select[name=sheet]").select_option("groups")
    rows = "name,unit,kind\n东湖巡查组,江城市城管局/东湖街道,chat\n夜间巡查组,东湖街道,prearranged\n"
    for text, told in ((rows, "unknown"), (rows.replace("江城市城管局/", ""), "夜间巡查组")):
        file = {"name": "groups.csv", "mimeType": "text/csv", "buffer": text.encode()}
        system.locator("input[type=file]").set_input_files([file])
        system.get_by_role("button", name="Dry run").click()
        expect(system.locator(".sheets table")).to_contain_text(told)
    system.get_by_role("button", name="Import", exact=True).click()
    expect(system.locator(".sheets .word")).to_contain_text("Imported: 1 new")
    tab(system, "Talk groups")
    expect(system.locator("tbody tr", has_text="夜间巡查组")).to_contain_text("Prearranged group")


def disabled_at_a_distance(browser: Browser, security: Page, system: Page, link: str) -> None:
    """遥毙: the phone is out at once, says so, and its link and its sign-in are of no use any more."""
    officer = page(browser, 360, 640)
    officer.goto(link)
    officer.get_by_role("button", name="Set up here").click()
    officer.get_by_role("link", name="Begin").click()
    officer.locator(".talk, [data-face], button.group").first.wait_for()
    tab(system, "Devices")
    system.locator("tbody tr", has_text="王建国").locator("button.open").click()
    system.locator(".editor [name=name]").fill("东湖一号机")
    system.get_by_role("button", name="Save", exact=True).click()
    expect(system.locator("tbody tr", has_text="王建国")).to_contain_text("东湖一号机")
    tab(security, "Devices")
    security.get_by_label("Device, or name, pinyin, badge").fill("wjg")
    row = security.locator("tbody tr", has_text="王建国")
    expect(row).to_have_count(1)
    expect(security.locator("tbody tr")).to_have_count(1)
    row.get_by_role("button", name="Disable", exact=True).click()
    row.get_by_role("button", name="Cancel").click()
    row.get_by_role("button", name="Disable", exact=True).click()
    row.get_by_role("button", name="it is out at once").click()
    expect(row).to_contain_text("Disabled")
    expect(officer.locator("[data-obstacle]")).to_be_visible()
    refused = officer.evaluate(
        """async () => {
            const kept = JSON.parse(localStorage.getItem('poc.account') ?? 'null');
            if (!kept) return 403;
            return (await fetch('/api/v1/me', {headers: {authorization: 'Bearer ' + kept.access}})).status;
        }"""
    )
    assert refused in (401, 403)
    tab(system, "People")
    person = system.locator("tbody tr", has_text="王建国")
    person.get_by_role("button", name="Disable", exact=True).click()
    person.get_by_role("button", name="out at once").click()
    person.get_by_role("button", name="Enable", exact=True).click()
    expect(person.get_by_role("button", name="Disable", exact=True)).to_be_visible()


def shared(browser: Browser, agency: Founded, security: Page) -> None:
    """One side offers by the other's code, the other agrees, either sees both sides; ended, it is gone for both."""
    links = found(agency.data, "临江市公安局", agency.url)
    theirs = page(browser, 360, 640)
    for _ in range(50):  # the server learns of another process's agency at its next poll
        theirs.goto(links[1])
        theirs.get_by_role("button", name="Set up here").click()
        theirs.locator(".problem, a:has-text('Begin')").first.wait_for()
        if theirs.get_by_role("link", name="Begin").count():
            break
    theirs.get_by_role("link", name="Begin").click()
    tab(theirs, "Sharing")
    code = theirs.get_by_label("Code of your agency").input_value()
    tab(security, "Sharing")
    security.locator(".finder input").fill("东湖")
    security.locator(".found button", has_text="东湖巡查组").click()
    security.locator("input[name=agency]").fill("ag-nobody")
    security.get_by_role("button", name="Offer", exact=True).click()
    expect(security.locator(".sharing > .word")).not_to_be_empty()  # and what was entered stays, to be put right
    security.locator("input[name=agency]").fill(code)
    security.get_by_role("button", name="Offer", exact=True).click()
    expect(security.locator(".share")).to_contain_text("临江市公安局 has not agreed yet")
    tab(theirs, "Devices")
    tab(theirs, "Sharing")
    expect(theirs.locator(".share")).to_contain_text("江城市城管局 offers")
    theirs.get_by_role("button", name="Agree").click()
    expect(theirs.locator(".share")).to_contain_text("临江市公安局 agreed")
    theirs.get_by_role("button", name="End the share", exact=True).click()
    theirs.get_by_role("button", name="End the share for good").click()
    expect(theirs.locator(".share")).to_have_count(0)
    tab(security, "Devices")
    tab(security, "Sharing")
    expect(security.locator(".share")).to_have_count(0)


def audit(auditor: Page) -> None:
    """Acts in words, found by name, act, and by a click on who did it; the page of a phone is enough."""
    entry = auditor.locator(".entries article")
    for act, about in (
        ("Disabled a device", "王建国"),
        ("Planned a shift", "白班"),
        ("Set a grid cell", CELL),
        ("The other side agreed to share", "东湖巡查组"),
    ):
        auditor.locator("select[name=action]").select_option(label=act)
        expect(entry.filter(has_text=about).first).to_contain_text(act)
    auditor.locator("select[name=action]").select_option("")
    about = auditor.locator("input[name=about]")
    about.press_sequentially("wjg", delay=350)  # as one types who looks for the letters
    about.press("Enter")
    expect(entry.filter(has_text="Gave roles")).to_have_count(1)
    expect(entry.filter(has_text="Set a grid cell")).to_have_count(0)
    assert questions(auditor) == ["wjg"], "each letter was a question of its own"
    auditor.get_by_role("button", name="Clear").click()
    auditor.locator("select[name=action]").select_option(label="Set a grid cell")
    expect(entry.filter(has_text=CELL)).not_to_have_count(0)
    auditor.locator("select[name=result]").select_option("refused")
    expect(auditor.get_by_text("Nothing found")).to_be_visible()
    auditor.get_by_role("button", name="Clear").click()
    entry.filter(has_text="Gave roles").locator(".who button").click()
    expect(auditor.locator("button.chip")).to_contain_text("Only:")
    expect(entry.filter(has_text="Planned a shift")).to_have_count(0)


def questions(auditor: Page) -> list[str]:
    """What was looked for by words, as the audit itself tells it; once the last stands in it."""
    found = auditor.evaluate(
        """async () => {
            const token = JSON.parse(localStorage.getItem('poc.account')).access;
            const headers = {authorization: 'Bearer ' + token};
            for (;;) {
                const {items} = await (await fetch('/api/v1/audit?action=audit.read', {headers})).json();
                const asked = items.map(({detail}) => detail.about).filter(Boolean);
                if (asked.includes('wjg')) return asked;
            }
        }"""
    )
    return list(found)
