"""Migrations: an empty database, one with data, two nodes at once; tables and migrations tell one story."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    inspect,
    select,
    text,
)
from structlog.testing import capture_logs

from groups.vocabulary import GroupId, UserId
from poc_server.ground.refused import StoreUnavailable
from poc_server.store import Store, StoreSettings
from poc_server.store.city import units
from poc_server.store.city.pinyin import initials, spelled
from poc_server.store.sql.backup import backup, restore
from poc_server.store.sql.engine import Database
from poc_server.store.sql.migrate import LOCK, config, current, migrate, newest
from poc_server.store.tables import metadata
from tests.fixtures.databases import create_database
from tests.fixtures.postgres import Postgres

pytestmark = pytest.mark.wire


NOT_YET = {"0001": ("burst",), "0002": ("burst",)}
"""Tables that were made anew later because nothing had written them."""

WORDS = {"users.kind": "person", "role.role": "officer", "talk_group.kind": "chat"}
"""What the directory reads must be words it knows."""


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
    # SQLite gives up at once here, as it does after its five seconds where a machine has other work.
    impatient = empty.model_copy(update={"busy_timeout_ms": 0})
    nodes = [Database.open(impatient, tmp_path) for _ in range(2)]
    await asyncio.gather(*(migrate(node) for node in nodes))
    assert await current(nodes[1]) == newest()
    for node in nodes:
        await node.aclose()


async def test_who_finds_another_migrating_says_that_he_waits_and_gives_up_in_time(
    empty: StoreSettings, tmp_path: Path
) -> None:
    one, other = [Database.open(empty.model_copy(update={"busy_timeout_ms": 0}), tmp_path) for _ in range(2)]
    async with one.writing() as connection:
        if not one.sqlite:
            await connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        with capture_logs() as logged, pytest.raises(StoreUnavailable, match=r"another process .* 0\.2 s"):
            await migrate(other, patience_s=0.2)
    assert [each["event"] for each in logged] == ["migration_waits"]
    await migrate(other)
    assert await current(one) == newest()
    for node in (one, other):
        await node.aclose()


async def test_a_node_of_the_version_before_starts_again_on_the_tables_of_a_later_one(
    empty: StoreSettings, tmp_path: Path
) -> None:
    database = Database.open(empty, tmp_path)
    await migrate(database)
    async with database.writing() as connection:
        await connection.execute(text("ALTER TABLE agency ADD COLUMN of_a_later_version TEXT"))
        await connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    store = await Store.open(empty, tmp_path)
    assert store.ready
    async with store.change() as change:
        agency = await units.create_agency(change, "江城市城管局")
    assert store.directory.snapshot.agencies[agency].name == "江城市城管局"
    await store.aclose()
    assert await current(database) == "later"
    with pytest.raises(CommandError):
        await migrate(database, "of a backup of a later version")
    await database.aclose()


async def test_surnames_that_were_entered_before_are_found_as_they_are_read(
    empty: StoreSettings, tmp_path: Path
) -> None:
    database = Database.open(empty, tmp_path)
    await migrate(database, "0018")
    names = {"单田芳": "dtf", "王建国": "wjg", "区志远": "qzy", "任正非": "rzf", "单" + "国" * 63: "d" + "g" * 63}
    async with database.writing() as connection:
        written: dict[str, dict[str, Any]] = {}
        for table in await connection.run_sync(tables_beside, set()):
            if table.name in ("agency", "unit", "users"):
                written[table.name] = row_of(table, written)
                own = {"id": "{}", "account": "{}"} if table.name == "users" else {}
                rows = [
                    {**written[table.name], **{key: text.format(n) for key, text in own.items()}, **more}
                    for n, more in enumerate(
                        [{"name": name, "initials": old} for name, old in names.items()] if own else [{}]
                    )
                ]
                await connection.execute(insert(table), rows)
    await migrate(database)
    async with database.reading() as connection:
        rows = list(await connection.execute(text("SELECT name, initials, spelled FROM users")))
    found = {row.name: row.initials for row in rows}
    assert found == {name: initials(name) if len(name) < 64 else old for name, old in names.items()}
    assert {row.name: row.spelled for row in rows} == {name: spelled(name) for name in names}
    await database.aclose()


async def test_what_stands_in_any_table_is_kept_through_all_later_migrations(
    empty: StoreSettings, tmp_path: Path
) -> None:
    """Of each table a row is written at the revision that makes it; all of them are copied at the end, too."""
    database, other = Database.open(empty, tmp_path), Database.open(StoreSettings(), tmp_path / "other")
    written: dict[str, dict[str, Any]] = {}
    for script in reversed(list(ScriptDirectory.from_config(config()).walk_revisions())):
        await migrate(database, script.revision)
        async with database.writing() as connection:
            for table in await connection.run_sync(tables_beside, {*written, *NOT_YET.get(script.revision, ())}):
                count = await connection.scalar(select(func.count()).select_from(table))
                written[table.name] = {} if count else row_of(table, written)
                if not count:
                    await connection.execute(insert(table), [written[table.name]])
    assert written.keys() == metadata.tables.keys()
    await backup(database, tmp_path / "backup")
    await restore(other, tmp_path / "backup")
    for each in (database, other):
        async with each.reading() as connection:
            for table in metadata.sorted_tables:
                rows = (await connection.execute(select(table))).mappings().all()
                assert len(rows) == 1, table.name
                before = {name: value for name, value in written[table.name].items() if name in table.columns}
                assert {name: rows[0][name] for name in before} == before, table.name
        await each.aclose()
    store = await Store.open(empty, tmp_path)
    member = written["membership"]
    kept = store.directory.membership(GroupId(member["group_id"]), UserId(member["user_id"]))
    assert kept is not None
    assert (kept.may_talk, kept.priority) == (member["may_talk"], member["priority"])
    group = store.directory.group(kept.group)
    assert group is not None
    assert group.monitoring_allowed, "the default of a column that came later"
    await store.aclose()


def tables_beside(connection: Connection, known: set[str]) -> list[Table]:
    """Those that are new, as they are in the database, owners before what they own."""
    new = set(inspect(connection).get_table_names()) - known - {"alembic_version"}
    found = MetaData()
    found.reflect(connection, only=sorted(new))
    return [table for table in found.sorted_tables if table.name in new]


def row_of(table: Table, written: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """A value in each column; a key of another table is the one that was written there."""
    return {
        column.name: value_of(column, number, written)
        for number, column in enumerate(table.columns, 1)
        if not (column.foreign_keys and column.nullable)
    }


def value_of(column: Column[Any], number: int, written: dict[str, dict[str, Any]]) -> Any:
    for key in column.foreign_keys:
        return written[key.column.table.name][key.column.name]
    match column.type:
        case JSON():
            return {}
        case Boolean():
            return True
        case Float():
            return number + 0.5
        case Integer():
            return number
        case LargeBinary():
            return bytes([number])
        case _:
            return WORDS.get(f"{column.table.name}.{column.name}", f"值{number}")
