"""A wall of more channels than one can listen to."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from signaling.limits import MAX_GROUPS_LISTENED
from tests.browser.heard import heard
from tests.support.city import City
from tests.support.console import Console
from tests.support.officer import Officer

HEARD = '.wall .channel[data-heard="true"]'


def walk_a_long_wall(desk: Console, officer: Officer, channel: str) -> None:
    """More channels than one can listen to, all reached by keys; this one is the officer's, and among those heard."""
    wall, heard_ones = desk.page.locator(".wall .channel"), desk.page.locator(HEARD)
    chosen = wall.and_(desk.page.locator('[data-chosen="true"]'))
    expect(heard_ones).to_have_count(MAX_GROUPS_LISTENED + 1)  # the one that is selected, and those beside it
    desk.key("1")
    expect(wall.first).to_have_attribute("data-chosen", "true")
    first = wall.first.bounding_box()
    desk.key("ArrowDown", "ArrowRight", "ArrowUp")
    beside = chosen.bounding_box()
    assert first is not None
    assert beside is not None
    assert (beside["y"], beside["x"] > first["x"]) == (first["y"], True)
    desk.key(*["ArrowDown"] * wall.count())
    expect(chosen).to_be_in_viewport(ratio=0.9)
    lowest, last = chosen.bounding_box(), wall.last.bounding_box()
    assert lowest is not None
    assert last is not None
    assert lowest["y"] == last["y"]
    desk.key("1", "ArrowLeft")
    expect(wall.last).to_have_attribute("data-chosen", "true")
    expect(wall.last).to_be_in_viewport(ratio=0.9)

    # One more than may be heard is refused in words; when another is let go it is heard.
    desk.key("l")
    expect(desk.page.locator(".air .problem")).to_have_text("数量超出上限")
    desk.key("2", "l")
    expect(heard_ones).to_have_count(MAX_GROUPS_LISTENED)
    desk.key("1", "ArrowLeft", "l")
    expect(wall.last).to_have_attribute("data-heard", "true")

    # Who talks out of sight stands below the wall, and a key goes there.
    officer.listen(channel)  # he came into it when his page was open already
    before = officer.page.locator("button.group .name").inner_text()
    officer.select(channel)
    desk.key("1")
    talks = desk.channel(channel)
    expect(talks).not_to_be_in_viewport()
    officer.key_down()
    expect(desk.page.locator(".on-air button")).to_have_text(f"{channel} · {officer.user['name']}")
    desk.key("y")
    expect(talks).to_have_attribute("data-chosen", "true")
    expect(talks).to_be_in_viewport(ratio=0.9)
    officer.key_up()

    # Found by its name, too; and heard beside another group, also after it was the selected one.
    desk.key("1", "u")
    find = desk.page.locator("dialog[open]")
    expect(find.locator("input")).to_be_focused()
    desk.page.keyboard.type(f"xuncha{channel[2:-1]}")
    expect(find.locator(".choices button")).to_have_text([channel])
    desk.key("Enter")
    expect(talks).to_have_attribute("data-chosen", "true")
    officer.select(before)
    desk.page.keyboard.down("Space")
    heard(officer, desk.user["id"])
    desk.page.keyboard.up("Space")


def both_go_on_elsewhere(desk: Console, officer: Officer, city: City, channel: str) -> None:
    """They are put out of the channel they talk in: no key speaks elsewhere before they have been told where."""
    officer.select(channel)
    token = administrator(city)
    (group,) = city.get(f"/api/v1/groups?q=xuncha{channel[2:-1]}", token)["items"]
    for user in (officer.user["id"], desk.user["id"]):
        city.delete(f"/api/v1/groups/{group['id']}/members/{user}", token)
    told, warned = officer.page.locator(".left[role=alert]"), desk.page.locator(".air .left[role=alert]")
    for each in (told, warned):
        expect(each).to_contain_text(f"您已不在“{channel}”")
    officer.key_down()
    expect(told).to_contain_text("按住不放")
    officer.face("talking")
    officer.key_up()
    expect(told).to_have_count(0)
    officer.face("idle")
    desk.page.keyboard.down("Space")
    expect(warned).to_contain_text("再按一次")
    desk.page.keyboard.up("Space")
    assert desk.page.locator('.air[data-face="idle"]').count() == 1
    desk.page.keyboard.down("Space")
    expect(warned).to_have_count(0)
    desk.page.keyboard.up("Space")


def administrator(city: City) -> str:
    """A token of the administrator's."""
    people = city.get("/api/v1/demo/people")
    one = next(person["id"] for person in people if person["badge"] == "XT-001")
    return str(city.post(f"/api/v1/demo/people/{one}/step-in")["access_token"])


def made_groups(browser: Browser, city: City, names: list[str], dispatcher: str, officer: str) -> None:
    """Groups of these names, with this dispatcher in them and this officer in the last, read in by an administrator."""
    token = administrator(city)
    unit = next(unit["name"] for unit in city.get("/api/v1/units", token) if unit["parent"] is None)
    page = browser.new_page()
    for kind, lines in (
        ("groups", ["name,unit", *(f"{name},{unit}" for name in names)]),
        ("members", ["group,account,badge", *(f"{name},,{dispatcher}" for name in names), f"{names[-1]},,{officer}"]),
    ):
        answer = page.request.post(
            f"{city.url}/api/v1/sheets/{kind}?dry_run=false",
            data="\n".join(lines),
            headers={"authorization": f"Bearer {token}", "content-type": "text/csv"},
        )
        assert answer.ok, answer.text()
    page.close()
