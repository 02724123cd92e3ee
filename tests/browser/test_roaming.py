"""What a path loses under way in the middle of a burst: the phone notices by itself, hears on, and talks again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Playwright

from tests.support.chromium import AUTOPLAY, LOOPBACK, chromium, trusted
from tests.support.city import City, running_city
from tests.support.netns import Carried, Namespace, Street, city_and_street
from tests.support.officer import Officer

pytestmark = pytest.mark.browser

GAP_BAR_MS = 5_000
"""Chromium itself takes up to 2 s to see a new address; the rest is the ICE restart over the street."""

COUNT_PACKETS = """() => {
    window.counted = [];
    setInterval(async () => {
        let packets = 0;
        for (const entry of (await window.__poc.peer.getStats()).values())
            if (entry.type === 'inbound-rtp') packets += entry.packetsReceived;
        counted.push([performance.now(), packets]);
    }, 50);
}"""


@dataclass
class Away:
    """A city, a phone at the other end of a street, and one beside the city."""

    city: City
    way: Carried
    street: Namespace
    far: Browser
    near: Browser

    def on_air(self) -> tuple[Officer, Officer]:
        """One far away who hears one nearby; the packets are counted."""
        roamer, talker = Officer(self.far, self.city, "BJ-001"), Officer(self.near, self.city, "BJ-002")
        roamer.page.evaluate(COUNT_PACKETS)
        talker.key_down()
        talker.face("talking")
        roamer.face("taken")
        roamer.page.wait_for_function("counted.length > 20 && counted.at(-1)[1] > 20")
        return roamer, talker


@pytest.fixture(scope="module")
def away(playwright: Playwright, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Away]:
    with ExitStack() as stack:
        town, street, way = stack.enter_context(city_and_street(Street(rtt_ms=40, jitter_ms=5)))
        city = stack.enter_context(running_city(tmp_path_factory.mktemp("away") / "city", inside=town))
        flags = (*LOOPBACK, *AUTOPLAY, *trusted(city.url))
        far = stack.enter_context(chromium(playwright, flags=flags, inside=street))
        near = stack.enter_context(chromium(playwright, flags=flags, inside=town))
        yield Away(city, way, street, far, near)


def test_voice_that_stops_coming_is_noticed_long_before_the_browser_says_so(away: Away) -> None:
    """Nothing tells of it: the WebSocket stands, ICE counts as connected, only the packets that must come do not."""
    roamer, talker = away.on_air()
    before = roamer.page.evaluate("counted.at(-1)[1]")
    away.way.forget()
    roamer.wait_for("ice_restart", 1, timeout_ms=15_000)
    talking = "before => counted.at(-1)[1] > before + 25"
    roamer.page.wait_for_function(talking, arg=before, timeout=20_000)
    reasons = [e["reason"] for e in roamer.events("ice_restart")]
    assert reasons[0] == "no_packets", reasons
    restarted = roamer.events("ice_restart")[0]["t"]
    lost = [e for e in roamer.events("peer") if e["ice"] == "disconnected" and e["t"] < restarted]
    assert not lost, "the page acted while the browser still held the path for good"
    assert [e["state"] for e in roamer.events("media")].count("connecting") == 1, "the keys stayed"
    assert len(roamer.events("link")) == len({e["state"] for e in roamer.events("link")}), "the WebSocket stood"
    talker.key_up()
    roamer.face("idle")
    for officer in (roamer, talker):
        assert not officer.problems
        officer.context.close()


def test_a_phone_that_changes_its_address_hears_on_and_talks_again(away: Away) -> None:
    roamer, talker = away.on_air()
    away.street.run("sh", "-c", "ip addr del 10.77.0.2/24 dev street; ip addr add 10.77.0.3/24 dev street")
    moved_at, packets = roamer.page.evaluate("[performance.now(), counted.at(-1)[1]]")
    roamer.page.wait_for_function("before => counted.at(-1)[1] > before + 25", arg=packets, timeout=20_000)
    counted = roamer.page.evaluate("counted")
    silent_ms = next(at for at, count in counted if at > moved_at and count > packets + 2) - moved_at
    print(f"silent for {silent_ms:.0f} ms")
    assert silent_ms < GAP_BAR_MS
    talker.key_up()
    roamer.face("idle")
    roamer.key_down()
    roamer.face("talking")
    talker.face("taken")
    roamer.key_up()
    states = [e["state"] for e in roamer.events("media")]
    assert states.count("connecting") == 1, "the keys stayed: no second handshake"
