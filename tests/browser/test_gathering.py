"""Pages on two nodes: those of a group come to one of them while nobody speaks, and their people notice nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from playwright.sync_api import Playwright

from tests.browser.conftest import SPEECH
from tests.support.chromium import AUTOPLAY, LOOPBACK, chromium
from tests.support.city import City, running_city
from tests.support.officer import Officer
from tests.support.redis import running_redis

pytestmark = pytest.mark.browser
QUIET_S = "2"
GROUP = "滨江巡查组"
HEARS = """async () => {
    for (const entry of (await window.__poc.peer.getStats()).values())
        if (entry.type === 'inbound-rtp' && entry.packetsReceived > 50) return true;
    return false;
}"""


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """Of two nodes."""
    with ExitStack() as stack:
        redis = stack.enter_context(running_redis())
        folder = tmp_path_factory.mktemp("gathering") / "city"
        env = {"POC_FABRIC__GATHER_AFTER_S": QUIET_S}
        yield stack.enter_context(running_city(folder, nodes=2, redis=redis.url, env=env))


def connected(city: City, node: int) -> float:
    return city.node_metric(node, "poc_phones_connected")


def test_a_page_comes_to_the_node_of_its_group_and_goes_on_hearing_and_talking(
    playwright: Playwright, city: City
) -> None:
    with chromium(playwright, SPEECH / "zh-report.wav", flags=(*LOOPBACK, *AUTOPLAY)) as browser:
        moves = Officer(browser, city, "BJ-001")
        moves.select(GROUP)
        other = 1 - [connected(city, node) for node in range(2)].index(1)
        # Pages of a node's own port stay there: so most of the group is on the other one.
        there = replace(city, port=city.own_ports[other])
        stay = [Officer(browser, there, badge) for badge in ("BJ-002", "BJ-003")]
        for each in stay:
            each.select(GROUP)
        moves.page.wait_for_function(
            "window.__poc.events.filter(e => e.name === 'media' && e.state === 'connected').length > 1", timeout=60_000
        )
        assert [connected(city, node) for node in (other, 1 - other)] == [3, 0]
        gap = [(each["t"], each["state"]) for each in moves.events("link", "media")]
        print(*[(round(at - gap[0][0]), state) for at, state in gap], sep="\n")
        moves.key_down()
        moves.face("talking")
        stay[0].face("taken")
        moves.key_up()
        stay[0].face("idle")
        stay[0].key_down()
        stay[0].face("talking")
        moves.face("taken")
        moves.page.wait_for_function(HEARS)
        stay[0].key_up()
        assert not moves.problems
