"""Migrations: an empty database, one with data, two nodes at once; tables and migrations tell one story."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from groups.model import Membership
from groups.vocabulary import GroupId, UserId
from poc_server.store import Store, StoreSettings
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


async def test_a_database_with_data_keeps_it_through_the_migrations(empty: StoreSettings, tmp_path: Path) -> None:
    database = Database.open(empty, tmp_path)
    await migrate(database, "0001")
    rows = (
        "INSERT INTO agency (id, name, created_ms) VALUES ('ag', '江城', 1)",
        "INSERT INTO unit (id, agency_id, name, created_ms) VALUES ('un', 'ag', '市', 1)",
        (
            "INSERT INTO users (id, agency_id, unit_id, kind, name, enabled, talk_banned, created_ms)"
            " VALUES ('us', 'ag', 'un', 'person', '王', true, false, 1)"
        ),
        (
            "INSERT INTO talk_group (id, agency_id, unit_id, name, kind, floor, emergency_allowed, enabled, created_ms)"
            " VALUES ('gr', 'ag', 'un', '组', 'chat', '{}', true, true, 1)"
        ),
        (
            "INSERT INTO membership (group_id, user_id, may_talk, may_preempt, priority)"
            " VALUES ('gr', 'us', true, false, 7)"
        ),
    )
    async with database.writing() as connection:
        for row in rows:
            await connection.execute(text(row))
    await migrate(database)
    await database.aclose()
    store = await Store.open(empty, tmp_path)
    assert store.directory.membership(GroupId("gr"), UserId("us")) == Membership(
        GroupId("gr"), UserId("us"), priority=7
    )
    group = store.directory.group(GroupId("gr"))
    assert group is not None
    assert group.monitoring_allowed
    await store.aclose()
