"""One demo city for all whose operator has set nothing of his own, and its people by badge."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loadtest.speech import recording
from tests.emergency.cast import Cast, city_of_links
from tests.support.city import City
from tests.support.handsets import handsets


@pytest.fixture(scope="session")
def shared_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with city_of_links(tmp_path_factory.mktemp("emergency") / "links") as made:
        yield made


@pytest.fixture(scope="module")
def city(shared_city: City) -> City:
    return shared_city


@pytest.fixture(scope="module")
def links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For a module with a city of its own."""
    return tmp_path_factory.mktemp("emergency") / "links"


@pytest.fixture
async def cast(city: City) -> AsyncIterator[Cast]:
    recording("zh-report")  # read and coded once, before anybody waits for a first word
    async with handsets(city, city.data.with_name("links")) as made:
        yield Cast(city, made)
