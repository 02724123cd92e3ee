"""Nobody answers, SQL is lost, hangs, then all is killed: one scenario after the other, on one node and on two."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emergency import frozen_sql, killed_in_the_middle, nobody_forgotten, without_sql
from tests.emergency.cast import city_of_links
from tests.fixtures.databases import create_database, running_postgres
from tests.fixtures.postgres import Postgres
from tests.support.city import City
from tests.support.receiver import Receiver, receiver

pytestmark = pytest.mark.wire

for _module in (nobody_forgotten, without_sql, frozen_sql, killed_in_the_middle):  # nobody is left after the last
    globals().update({name: each for name, each in vars(_module).items() if name.startswith("test_")})


@pytest.fixture(scope="module", params=[1, 2], ids=["one node", "two nodes"])
def nodes(request: pytest.FixtureRequest) -> int:
    """A module's fixtures are made anew for each of these."""
    return int(request.param)


@pytest.fixture(scope="module")
def vendor(nodes: int) -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture(scope="module")
def links(nodes: int, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("lost") / "links"


@pytest.fixture(scope="module")
def city_postgres() -> Iterator[Postgres]:
    """A cluster of its own, since it is stopped."""
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def sql_url(nodes: int, city_postgres: Postgres) -> str:
    return asyncio.run(create_database(city_postgres, f"of_{nodes}"))


@pytest.fixture(scope="module")
def city(nodes: int, links: Path, vendor: Receiver, sql_url: str) -> Iterator[City]:
    on = {**nobody_forgotten.operated(vendor), **without_sql.OPERATED}
    with city_of_links(links, {**on, "POC_STORE__URL": sql_url}, nodes) as made:
        yield made
