"""Where only a relay gets through: voice both ways through a real coturn, with credentials the server made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import SPEECH
from tests.browser.figures import talk
from tests.support.chromium import AUTOPLAY, chromium, trusted
from tests.support.city import running_city
from tests.support.netns import Street, city_and_street
from tests.support.officer import KEEP_MICROPHONE, Officer
from tests.support.turnserver import coturn

pytestmark = pytest.mark.browser

GROUP = "滨江巡查组"
RELAY_ONLY = """
const Direct = window.RTCPeerConnection;
window.RTCPeerConnection = class extends Direct {
  constructor(configuration) { super({ ...configuration, iceTransportPolicy: "relay" }); }
};
"""
LOCAL_CANDIDATE = """async () => {
  const stats = await window.__poc.peer.getStats();
  const all = [...stats.values()];
  const transport = all.find((s) => s.type === "transport");
  const pair = stats.get(transport.selectedCandidatePairId);
  return stats.get(pair.localCandidateId);
}"""
HEARD = """async () => {
  const all = [...(await window.__poc.peer.getStats()).values()];
  return Math.max(...all.filter((s) => s.type === "inbound-rtp").map((s) => s.packetsReceived));
}"""


def relayed(officer: Officer) -> dict[str, Any]:
    return dict(officer.page.evaluate(LOCAL_CANDIDATE))


def test_voice_goes_both_ways_through_a_relay_and_by_no_other_way(playwright: Playwright, tmp_path: Path) -> None:
    with (
        city_and_street(Street(rtt_ms=20)) as (downtown, street, _),
        coturn(downtown, tmp_path / "turn", secret="kept between the two") as turn,
        running_city(tmp_path / "city", env=turn.settings(), inside=downtown) as city,
        chromium(playwright, SPEECH / "zh-report.wav", (*AUTOPLAY, *trusted(city.url)), street) as first,
        chromium(playwright, SPEECH / "en-report.wav", (*AUTOPLAY, *trusted(city.url)), street) as second,
    ):
        one, other = (
            Officer(browser, city, badge, init=KEEP_MICROPHONE + RELAY_ONLY)
            for browser, badge in ((first, "BJ-001"), (second, "BJ-002"))
        )
        for officer in (one, other):
            officer.select(GROUP)
            assert relayed(officer)["candidateType"] == "relay"
            assert relayed(officer)["address"] == turn.address
        for talker, listener in ((one, other), (other, one)):
            before = listener.page.evaluate(HEARD)
            talk(talker, presses=1, hold_ms=1_500, pause_ms=300)
            assert listener.page.evaluate(HEARD) - before > 30
        assert relayed_users(turn.log) == {one.user["id"], other.user["id"]}


def test_without_the_right_secret_the_page_says_there_is_no_voice_path(playwright: Playwright, tmp_path: Path) -> None:
    with (
        city_and_street(Street()) as (downtown, street, _),
        coturn(downtown, tmp_path / "turn", secret="the right one") as turn,
        running_city(
            tmp_path / "city", env={**turn.settings(), "POC_TURN__SECRET": "another"}, inside=downtown
        ) as city,
        chromium(playwright, None, (*AUTOPLAY, *trusted(city.url)), street) as browser,
    ):
        officer = Officer(browser, city, "BJ-001", init=KEEP_MICROPHONE + RELAY_ONLY, connected=False)
        officer.page.wait_for_function(
            "window.__poc.events.some((e) => e.name === 'face' && e.state === 'no_media_path')", timeout=15_000
        )


def relayed_users(log: Path) -> set[str]:
    """Who got an allocation, by coturn's own word; its user names are ``<end>:<user>``."""
    lines = [line for line in log.read_text().splitlines() if "ALLOCATE processed, success" in line]
    return {line.split("user <", 1)[1].split(">", 1)[0].split(":", 1)[1] for line in lines}
