"""A leader takes the air: one press and all are in a two-way call; a message reaches all, with receipts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Playwright, expect

from tests.browser.conftest import SPEECH
from tests.support.chromium import chromium
from tests.support.city import City
from tests.support.officer import Officer

pytestmark = pytest.mark.browser


def test_a_leaders_emergency_call_is_heard_and_answered_and_his_message_confirmed(
    playwright: Playwright, city: City
) -> None:
    with chromium(playwright, SPEECH / "zh-emergency.wav") as browser:
        leader = Officer(browser, city, "LD-001", page="leader")
        officer = Officer(browser, city, "BJ-001")
        leader.page.locator("button.emergency").click()
        expect(officer.page.locator(".affairs .brought")).to_contain_text(leader.user["name"])

        leader.key_down()
        leader.wait_for("floor_granted", 1)
        officer.wait_for("first_voice", 1)
        leader.key_up()
        leader.wait_for("floor_release", 1)

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
