"""A leader takes the air: one press and all are in a two-way call; a message reaches all, with receipts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import SPEECH
from tests.browser.figures import spread
from tests.support.chromium import chromium
from tests.support.city import City, fetch
from tests.support.officer import Officer

pytestmark = pytest.mark.browser
CALLS, BROADCASTS = 4, 3
"""Samples of each."""


def test_a_leaders_emergency_call_is_heard_and_answered_and_his_message_confirmed(
    playwright: Playwright, city: City, build_folder: Path
) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as browser:
        leader = Officer(browser, city, "LD-001", page="leader")
        officer = Officer(browser, city, "BJ-001")
        called = []
        for sample in range(CALLS):
            # One hold is all: it begins the call and speaks into it, and letting go falls silent, not out of the call.
            called.append(held(leader, ".hold.emergency", officer))
            expect(officer.page.locator(".affairs .brought")).to_contain_text(leader.user["name"])
            if sample < CALLS - 1:
                leader.page.locator(".running .end").click()
                expect(officer.page.locator(".affairs .brought")).to_have_count(0)

        officer.key_down()  # two-way: he answers in the same call
        officer.wait_for("floor_granted", 1)
        leader.wait_for("first_voice", 1)
        officer.key_up()

        leader.page.locator("textarea").fill("Everyone to the river gate")
        leader.page.locator(".say form button.primary").click()
        message = officer.page.locator(".affairs .message")
        expect(message).to_contain_text("river gate")
        message.locator("button").click()
        expect(message).to_have_count(0)
        expect(leader.page.locator(".tallies li")).to_contain_text("1 确认")

        # A message spoken once is heard by those drawn into an area of the map, and again from a plan by one tap.
        leader.page.set_viewport_size({"width": 1440, "height": 900})
        leader.page.locator('[data-tab="area"]').click()
        draw_around_all(leader.page)
        expect(leader.page.locator(".summary strong")).to_contain_text("区域内")
        speak(leader, ".messages .record", 1_500)
        leader.page.locator(".messages .use").click()
        spoken = officer.page.locator('.message[data-receipt="heard"]')
        expect(spoken).to_have_count(1, timeout=30_000)

        leader.page.locator('[data-tab="plans"]').click()
        leader.page.locator(".plans .new").click()
        leader.page.locator(".plan-editor input").fill("Flood")
        leader.page.locator(".plan-editor select").first.select_option("text")
        leader.page.locator(".plan-editor textarea").fill("To the high ground")
        leader.page.locator(".plan-editor .sends .primary").click()
        start = leader.page.locator(".plans .start", has_text="Flood")
        start.dblclick()  # a finger that trembles starts it once
        expect(officer.page.locator(".message", has_text="high ground")).to_have_count(1)
        clash_at_a_plan(leader, city)

        said = [held(leader, ".hold.broadcast", officer, marked=False) for _ in range(BROADCASTS - 1)]
        leader.page.locator('.say input[type="checkbox"]').last.check()  # an exercise, told so while it is heard
        said.append(held(leader, ".hold.broadcast", officer, marked=True))
        figures = {"call_to_voice_ms": spread(called), "broadcast_to_voice_ms": spread(said)}
        (build_folder / "leader.json").write_text(json.dumps(figures) + "\n")
        print("leader's key down to first voice:", figures)

        # Who may not start an emergency is offered the call that he may make.
        officer.page.goto(f"{city.url}/leader?voice=raw&as={officer.user['id']}")
        officer.page.locator('[data-tab="people"]').click()
        officer.page.locator(".persons button", has_text=leader.user["badge"]).click()
        officer.page.locator(".hold.emergency").click()
        officer.page.locator("button.ordinary").click()
        expect(leader.page.locator(".affairs .brought").last).to_contain_text(officer.user["name"])
        assert not [*leader.problems, *officer.problems]


def clash_at_a_plan(leader: Officer, city: City) -> None:
    """Another leader was quicker: what stands there now is shown before anything is written over it, or taken."""
    page, editor = leader.page, leader.page.locator(".plan-editor")
    token = city.post(f"/api/v1/demo/people/{leader.user['id']}/step-in")["access_token"]

    def changed_elsewhere(name: str, to: str) -> None:
        plan = next(each for each in city.get("/api/v1/plans", token) if each["name"] == name)
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*", "Content-Type": "application/json"}
        body = json.dumps({"name": to, "starts": plan["starts"]})
        fetch("PUT", f"{city.url}/api/v1/plans/{plan['id']}", headers, body)

    page.locator(".plans li", has_text="Flood").locator("button").last.click()
    expect(editor.locator("input").first).to_have_value("Flood")
    changed_elsewhere("Flood", "High water")
    editor.locator("textarea").fill("To the hill")
    editor.locator(".sends .primary").click()
    expect(editor.locator(".clash")).to_contain_text("High water")
    editor.locator(".clash button").click()
    expect(editor.locator("input").first).to_have_value("High water")
    expect(editor.locator("textarea")).to_have_value("To the high ground")
    changed_elsewhere("High water", "Low water")
    editor.locator("input").first.fill("Flood")
    editor.locator(".sends .primary").click()
    expect(editor.locator(".clash")).to_contain_text("Low water")
    editor.locator(".sends .primary").click()
    expect(page.locator(".plans .start", has_text="Flood")).to_have_count(1)
    assert [each["name"] for each in city.get("/api/v1/plans", token)].count("Flood") == 1


def held(leader: Officer, key: str, officer: Officer, *, marked: bool = False) -> float:
    """Hold this key until it is heard, and let go; ms from key down to the officer's first voice.

    ``marked``: meanwhile the officer reads that it is an exercise; else he does not.
    """
    before = {name: len(leader.events(name)) + 1 for name in ("floor_granted", "floor_release")}
    heard = len(officer.events("first_voice")) + 1
    leader.page.locator(key).scroll_into_view_if_needed()
    box = leader.page.locator(key).bounding_box()
    assert box is not None
    leader.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    leader.page.mouse.down()
    officer.wait_for("first_voice", heard)
    leader.wait_for("floor_granted", before["floor_granted"])
    expect(officer.page.locator(".affairs .brought .exercise")).to_have_count(int(marked))
    leader.page.mouse.up()
    leader.wait_for("floor_release", before["floor_release"])
    officer.page.locator('.page:not([data-face="listening"])').wait_for()
    return float(officer.events("first_voice")[-1]["at"] - leader.events("pointerdown")[-1]["t"])


def draw_around_all(page: Page) -> None:
    """Drag a ring around everything on the map."""
    expect(page.locator(".city-map .mark i").first).to_be_visible(timeout=30_000)
    box = page.locator(".city-map .drawing").bounding_box()
    assert box is not None
    inset = 4
    left, top = box["x"] + inset, box["y"] + inset
    right, bottom = box["x"] + box["width"] - inset, box["y"] + box["height"] - inset
    mouse = page.mouse
    mouse.move(left, top)
    mouse.down()
    for x, y in ((right, top), (right, bottom), (left, bottom)):
        mouse.move(x, y, steps=5)
    mouse.up()


def speak(leader: Officer, key: str, ms: int) -> None:
    """By keyboard: he need not have a pointer."""
    leader.page.keyboard.press("Tab")
    leader.page.locator(key).focus()
    leader.page.keyboard.down("Enter")
    expect(leader.page.locator(key)).to_have_attribute("aria-pressed", "true")
    leader.page.wait_for_timeout(ms)
    leader.page.keyboard.up("Enter")
