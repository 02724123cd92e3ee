"""Migrations: an empty database, one with data, two nodes at once; tables and migrations tell one story."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection

from poc_server.store import StoreSettings
from poc_server.store.engine import Database
from poc_server.store.migrate import current, migrate, newest
from poc_server.store.tables import metadata
from tests.fixtures.databases import create_database
from tests.fixtures.postgres import Postgres

pytestmark = pytest.mark.wire


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> StoreSettings:
    if request.param == "sqlite":
        return StoreSettings()
    cluster: Postgres = request.getfixturevalue("postgres")
    name = f"empty{abs(hash(request.node.nodeid))}"
    return StoreSettings(url=asyncio.run(create_database(cluster, name)))


def differences(connection: Connection) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), metadata))


async def test_migrations_make_exactly_the_tables(empty: StoreSettings, tmp_path: Path) -> None:
    database = Database.open(empty, tmp_path)
    assert await current(database) is None
    await migrate(database)
    await migrate(database)
    assert await current(database) == newest()
    async with database.reading() as connection:
        assert await connection.run_sync(differences) == []
    await database.aclose()


async def test_two_nodes_that_start_together_migrate_once(empty: StoreSettings, tmp_path: Path) -> None:
    nodes = [Database.open(empty, tmp_path) for _ in range(2)]
    await asyncio.gather(*(migrate(node) for node in nodes))
    assert await current(nodes[1]) == newest()
    for node in nodes:
        await node.aclose()
