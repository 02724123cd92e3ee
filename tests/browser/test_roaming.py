"""A phone changes its address in the middle of a burst, as from Wi-Fi to LTE: it hears on, and talks again."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Playwright

from tests.support.chromium import AUTOPLAY, LOOPBACK, chromium, trusted
from tests.support.city import running_city
from tests.support.netns import Street, city_and_street
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


def test_a_phone_that_changes_its_address_hears_on_and_talks_again(playwright: Playwright, tmp_path: Path) -> None:
    with (
        city_and_street(Street(rtt_ms=40, jitter_ms=5)) as (town, street, _),
        running_city(tmp_path / "city", inside=town) as city,
    ):
        flags = (*LOOPBACK, *AUTOPLAY, *trusted(city.url))
        with (
            chromium(playwright, flags=flags, inside=street) as far,
            chromium(playwright, flags=flags, inside=town) as near,
        ):
            roamer, talker = Officer(far, city, "BJ-001"), Officer(near, city, "BJ-002")
            roamer.page.evaluate(COUNT_PACKETS)
            talker.key_down()
            talker.face("talking")
            roamer.face("taken")
            roamer.page.wait_for_function("counted.length > 20")
            street.run("sh", "-c", "ip addr del 10.77.0.2/24 dev street; ip addr add 10.77.0.3/24 dev street")
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
