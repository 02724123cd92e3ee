"""One demo city for all that shows the ways to talk, and its people by badge."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from loadtest.speech import recording
from tests.emergency.cast import Cast
from tests.support.city import City, running_city
from tests.support.handsets import handsets
from tests.talk.ways_report import WaysReport


@pytest.fixture(scope="session")
def ways_links(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ways") / "links"


@pytest.fixture(scope="session")
def ways_city(ways_links: Path) -> Iterator[City]:
    # Its operator switched remote listening on; that of every other city here did not.
    on = {"POC_TALK__REMOTE_LISTENING": "true"}
    with running_city(ways_links.parent / "data", "--links", str(ways_links), env=on) as made:
        end = time.monotonic() + 60
        while not ways_links.exists() and time.monotonic() < end:
            time.sleep(0.05)  # the server is ready before its people have their links
        yield made


@pytest.fixture(scope="session")
def ways_report() -> Iterator[WaysReport]:
    """What was heard by whom, way by way: written to build/calls.json."""
    made = WaysReport()
    yield made
    made.write()


@pytest.fixture
async def cast(ways_city: City, ways_links: Path) -> AsyncIterator[Cast]:
    recording("zh-report")  # read and coded once, before anybody waits for a first word
    async with handsets(ways_city, ways_links) as made:
        yield Cast(ways_city, made)
