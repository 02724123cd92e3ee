"""One demo city on two nodes and a Redis of its own, for all of this folder: what breaks it comes last."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loadtest.speech import recording
from tests.support.city import City, running_city
from tests.support.handsets import Handsets, handsets
from tests.support.redis import RedisServer, running_redis


@pytest.fixture(scope="package")
def redis_server() -> Iterator[RedisServer]:
    with running_redis() as server:
        yield server


@pytest.fixture(scope="package")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nodes") / "links"


@pytest.fixture(scope="package")
def city(links: Path, redis_server: RedisServer) -> Iterator[City]:
    with running_city(links.parent / "data", "--links", str(links), nodes=2, redis=redis_server.url) as made:
        yield made


@pytest.fixture
async def street(city: City, links: Path) -> AsyncIterator[Handsets]:
    recording("zh-report")
    async with handsets(city, links) as made:
        yield made
