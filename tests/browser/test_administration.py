"""From an empty city to an officer on the air and out again: enrolment, sign-in, administration, revocation."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect

from tests.support.administrators import create, enrolled, page, tab
from tests.support.chromium import chromium
from tests.support.founded import Founded, founded

pytestmark = pytest.mark.browser
HOSTILE = "<img src=x onerror=alert(1)>'; DROP TABLE users; --"


@pytest.fixture(scope="module")
def agency(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Founded]:
    with founded(tmp_path_factory.mktemp("administration") / "data") as made:
        yield made


@pytest.fixture(scope="module")
def browser(playwright: Playwright) -> Iterator[Browser]:
    with chromium(playwright) as running:
        yield running


def test_from_an_empty_agency_to_an_officer_and_out_again(browser: Browser, agency: Founded) -> None:
    system = enrolled(browser, agency.links[0])
    security = enrolled(browser, agency.links[1], 360, 640)

    # A link that was spent opens nothing, and says so.
    late = page(browser, 360, 640)
    late.goto(agency.links[0])
    late.get_by_role("button", name="Set up here").click()
    expect(late.locator(".problem")).to_be_visible()

    units_people_and_a_group(system)
    conflict(system)

    # Roles come from the security administrator, on a phone.
    security.get_by_label("Name, pinyin or badge").fill("wjg")
    security.locator("td button.open", has_text="王建国").click()
    security.locator(".editor [name=role-officer]").check()
    security.get_by_role("button", name="Save roles").click()
    expect(security.locator(".editor .part").first).to_contain_text("Saved")
    clash_of_roles(security)

    officer = sign_in(browser, agency)
    shares_place(officer)
    # Roles that were ticked and not given are not lost by a click elsewhere.
    security.locator(".editor [name=role-leader]").check()
    security.locator(".editor header button").click()
    security.get_by_role("button", name="Go on editing").click()
    expect(security.locator(".editor [name=role-leader]")).to_be_checked()
    security.locator(".editor header button").click()
    security.get_by_role("button", name="Discard them").click()
    keeping(security)

    # Thrown out: the page says so at once, and begins again with the sign-in.
    tab(security, "Sessions")
    row = security.locator("tbody tr", has_text="王建国")
    row.get_by_role("button", name="End", exact=True).click()
    row.get_by_role("button", name="End the session of 王建国").click()
    expect(row).to_have_count(0)
    expect(officer.locator("[data-obstacle=dismissed]")).to_contain_text("Please sign in")
    officer.get_by_role("button", name="Come back").click()
    expect(officer.locator("input[name=password]")).to_be_visible()

    audit(browser, agency)


def units_people_and_a_group(system: Page) -> None:
    tab(system, "Units")
    create(system, "New unit", name="东湖街道")
    tab(system, "People")
    create(system, "New person", name=HOSTILE, badge="D-2")
    system.locator(".editor header button").click()
    create(system, "New person", name="王建国", badge="D-1", account="wang", unit="东湖街道")
    system.locator("[name=new-password]").fill("a long password")
    system.get_by_role("button", name="Set", exact=True).click()
    expect(system.locator(".editor")).to_contain_text("whoever was signed in is out")
    system.locator("button.invite").click()
    expect(system.locator("input.link")).to_have_value(re.compile(r"^http://127\.0\.0\.1:\d+/enrol/[a-z2-7]{26}$"))
    tab(system, "Talk groups")
    create(system, "New group", name="东湖巡查组", unit="东湖街道")
    system.locator(".members .finder input").fill("wjg")
    system.locator(".found button", has_text="王建国").click()
    expect(system.locator(".members li")).to_contain_text("王建国")
    # Two changes of one place in a breath: the second stands on what the first made, and is no conflict with oneself.
    system.locator(".members .flags input[type=checkbox]").nth(1).check()
    system.locator(".members .flags input[type=number]").fill("200")
    # Whoever opens the group again while this is on its way is shown what stands there until then.
    with system.expect_response(lambda answer: '"priority":200' in (answer.request.post_data or "")):
        system.locator(".members .flags input[type=number]").blur()
    tab(system, "People")
    expect(system.locator("td button.open", has_text="DROP TABLE")).to_have_text(HOSTILE)
    # Narrowed to a unit, and to a role.
    unit, role = (system.locator(f".tools [name={name}]") for name in ("unit", "role"))
    unit.select_option(label="东湖街道")
    expect(system.locator("tbody tr", has_text="administrator")).to_have_count(0)
    expect(system.locator("td button.open", has_text="王建国")).to_be_visible()
    role.select_option(label="Security administrator")
    expect(system.get_by_text("Nothing found")).to_be_visible()
    unit.select_option(label="All units")
    expect(system.locator("tbody tr")).to_have_count(1)


def conflict(system: Page) -> None:
    """Two editors of one group: the second is told what changed, and keeps his change on top of it."""
    tab(system, "Talk groups")
    system.locator("td button.open", has_text="东湖巡查组").click()
    expect(system.locator(".members .flags input[type=checkbox]").nth(1)).to_be_checked()
    expect(system.locator(".members .flags input[type=number]")).to_have_value("200")
    system.locator(".editor [name=queue_limit]").fill("3")
    system.locator(".editor [name=revoke_grace_s]").fill("0.5")
    system.locator(".editor [name=dual_floor]").check()
    expect(system.locator(".editor [name=hang_s]")).to_have_count(0)  # a chat group has no calls to end
    elsewhere(
        system,
        """async ask => {
            const group = (await (await ask('/groups')).json()).items.find(each => each.name === '东湖巡查组');
            const body = JSON.stringify({name: '东湖一组', unit: group.unit});
            return ask('/groups/' + group.id, {method: 'PUT', body});
        }""",
    )
    system.get_by_role("button", name="Save", exact=True).click()
    expect(system.locator(".conflict")).to_contain_text("东湖一组")
    system.get_by_role("button", name="Keep my changes").click()
    expect(system.locator(".conflict")).to_have_count(0)
    expect(system.locator("td button.open", has_text="东湖一组")).to_be_visible()
    expect(system.locator(".editor [name=name]")).to_have_value("东湖一组")
    system.locator(".editor header button").click()
    system.locator("td button.open", has_text="东湖一组").click()
    for name, value in (("queue_limit", "3"), ("revoke_grace_s", "0.5"), ("transmit_limit_s", "30")):
        expect(system.locator(f".editor [name={name}]")).to_have_value(value)
    expect(system.locator(".editor [name=dual_floor]")).to_be_checked()
    expect(system.locator(".editor [name=audio_cut_in]")).not_to_be_checked()


def clash_of_roles(security: Page) -> None:
    """What another security administrator gave meanwhile is seen, and not overwritten."""
    elsewhere(
        security,
        """async ask => {
            const [{ id }] = (await (await ask('/people?q=wjg')).json()).items;
            return ask(`/people/${id}/roles`, {method: 'PUT', body: JSON.stringify({roles: ['officer', 'handler']})});
        }""",
    )
    security.locator(".editor [name=role-leader]").check()
    security.get_by_role("button", name="Save roles").click()
    expect(security.locator(".conflict")).to_contain_text("Department handler")
    security.get_by_role("button", name="Take theirs").click()
    expect(security.locator(".editor [name=role-handler]")).to_be_checked()
    expect(security.locator(".editor [name=role-leader]")).not_to_be_checked()


def elsewhere(page: Page, change: str) -> None:
    """The same person changes something on another page of his."""
    status = page.evaluate(
        f"""async () => {{
            const token = JSON.parse(localStorage.getItem('poc.account')).access;
            const headers = {{
                authorization: 'Bearer ' + token, 'content-type': 'application/json', 'if-match': '*'}};
            return (await ({change})((path, init = {{}}) => fetch('/api/v1' + path, {{...init, headers}}))).status;
        }}"""
    )
    assert status == 200


def keeping(security: Page) -> None:
    """How long what is kept, what is held, what is deleted on request: said by who rules over it, with a reason."""
    tab(security, "Keeping and deletion")
    rules, holds, one = (security.locator(".keeping section").nth(number) for number in range(3))
    expect(security.locator(".keeping > .hint")).to_contain_text("voice 365 days; voice and photos of a case: for ever")
    rules.locator("summary").click()
    rules.locator(".finder input").fill("东湖")
    rules.locator(".found button", has_text="东湖一组").click()
    rules.locator("[name=days]").fill("179")  # the law asks for more
    rules.get_by_role("button", name="Save").click()
    expect(rules.locator("[name=days]:invalid")).to_have_count(1)
    rules.locator("[name=days]").fill("400")
    rules.get_by_role("button", name="Save").click()
    rule = rules.locator(".cards li")
    expect(rule).to_contain_text("东湖一组")
    expect(rule).to_contain_text("400 days")
    rule.get_by_role("button", name="Change").click()
    rule.get_by_label("for ever").check()
    rule.get_by_role("button", name="Save").click()
    expect(rule.locator("strong")).to_have_text("for ever")
    holds.locator("summary").click()
    holds.locator("#hold-target").fill("E01022025101000001")
    holds.locator("[name=from]").fill("2026-11-01T08:00")
    holds.locator("[name=reason]").fill(HOSTILE)
    holds.get_by_role("button", name="Hold", exact=True).click()
    hold = holds.locator(".cards li")
    expect(hold).to_contain_text("E01022025101000001")
    expect(hold).to_contain_text(HOSTILE)
    shown(security, "keeping")
    hold.get_by_role("button", name="Release").click()
    hold.locator("[name=reason]").fill("结案")
    hold.get_by_role("button", name="Release").click()
    expect(hold).to_have_count(0)
    one.locator("[name=recording]").fill("b-000000000000000000000000")
    one.locator("[name=reason]").fill("隐私")
    one.get_by_role("button", name="Delete", exact=True).click()
    one.locator("button.red").click()
    expect(one.locator(".word")).not_to_be_empty()  # there is none of that number


def shown(page: Page, name: str) -> None:
    """Keeps pictures where some are wanted: on a phone and on a desk."""
    if folder := os.environ.get("PICTURES"):
        for width, height in ((360, 640), (1440, 900)):
            page.set_viewport_size({"width": width, "height": height})
            page.screenshot(path=Path(folder, f"{name}-{width}.png"), full_page=True)
        page.set_viewport_size({"width": 360, "height": 640})


def sign_in(browser: Browser, agency: Founded) -> Page:
    officer = page(browser, 360, 640)
    officer.goto(agency.url)
    officer.locator("input[name=name]").fill("WANG")
    officer.locator("input[name=password]").fill("wrong")
    officer.get_by_role("button", name="Sign in").click()
    expect(officer.locator(".problem")).to_be_visible()
    officer.locator("input[name=password]").fill("a long password")
    officer.get_by_role("button", name="Sign in").click()
    expect(officer.locator("button.group")).to_contain_text("东湖一组")
    return officer


def shares_place(officer: Page) -> None:
    """Nothing is told until the switch is on; then each part with its source, and of the cell that there is none."""
    officer.context.grant_permissions(["geolocation"])
    officer.context.set_geolocation({"longitude": 114.31, "latitude": 30.52, "accuracy": 8})
    assert places(officer) == []
    switch = officer.get_by_role("switch", name="Share my place")
    expect(switch).to_have_attribute("aria-checked", "false")
    switch.click()
    expect(switch).to_have_attribute("data-state", "shared")
    (told,) = places(officer)
    assert (told["position"]["longitude"], told["position"]["accuracy_m"]) == (114.31, 8)
    assert (told["position"]["source"], told["cell"]["source"], told["cell"]["id"]) == ("device", "none", None)


def places(officer: Page) -> Any:
    return officer.evaluate(
        """async () => (await fetch('/api/v1/places', {headers: {
            authorization: 'Bearer ' + JSON.parse(localStorage.getItem('poc.account')).access}})).json()"""
    )


def audit(browser: Browser, agency: Founded) -> None:
    auditor = enrolled(browser, agency.links[2])
    given = auditor.locator(".entries article", has_text="Gave roles").filter(has_text="王建国")
    expect(given.first).to_contain_text("Field officer")
    auditor.get_by_role("button", name="Check the seals").click()
    expect(auditor.get_by_text("every seal fits")).to_be_visible()
    assert auditor.locator(".admin nav button").count() == 1
