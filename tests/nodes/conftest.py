"""One demo city on two nodes and a Redis of its own, for all of this folder: what breaks it comes last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loadtest.speech import recording
from tests.emergency import test_cap_on_the_wire, test_waking_on_the_wire
from tests.emergency.cast import Cast
from tests.support.city import City, running_city
from tests.support.handsets import Handsets, handsets
from tests.support.proxy import Proxy, running_proxy
from tests.support.receiver import Receiver, receiver
from tests.support.redis import RedisServer, running_redis
from tests.talk.ways_report import WaysReport


@pytest.fixture(scope="package")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="package")
def vendor() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture(scope="package")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nodes") / "links"


@pytest.fixture(scope="package")
def city(links: Path, redis_server: RedisServer, vendor: Receiver) -> Iterator[City]:
    # Its operator did what those of the cities of one node did.
    on = {
        "POC_FABRIC__GATHER_AFTER_S": "1",
        "POC_TALK__REMOTE_LISTENING": "true",
        "POC_EMERGENCY__UNATTENDED_S": "1",
        "POC_BRIDGE__TELL_LATE_S": "1",
    }
    on |= {**test_cap_on_the_wire.OPERATED, **test_waking_on_the_wire.operated(vendor)}
    with running_city(links.parent / "data", "--links", str(links), nodes=2, redis=redis_server.url, env=on) as made:
        yield made


@pytest.fixture(scope="package")
def proxy(city: City, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with running_proxy(tmp_path_factory.mktemp("proxy"), city.own_ports) as made:
        yield made


@pytest.fixture(scope="package")
def ways_report() -> WaysReport:
    """Who heard whom is checked here as it is there; it is written down of one node."""
    return WaysReport()


@pytest.fixture
def cast(city: City, street: Handsets) -> Cast:
    return Cast(city, street)


@pytest.fixture
async def street(city: City, links: Path) -> AsyncIterator[Handsets]:
    recording("zh-report")
    async with handsets(city, links) as made:
        yield made
