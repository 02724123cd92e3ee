"""A demo city of its own for each module, and its people by badge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loadtest.speech import recording
from tests.emergency.cast import Cast, city_of_links
from tests.support.city import City
from tests.support.handsets import handsets


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("emergency") / "links"


@pytest.fixture(scope="module")
def city(links: Path) -> Iterator[City]:
    with city_of_links(links) as made:
        yield made


@pytest.fixture
async def cast(city: City, links: Path) -> AsyncIterator[Cast]:
    recording("zh-report")  # read and coded once, before anybody waits for a first word
    async with handsets(city, links) as made:
        yield Cast(city, made)
