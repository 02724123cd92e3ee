"""Backup and restore, from either database to either, and of files that are not whole."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path

import pytest
from sqlalchemy import select

from poc_server.demo.city import build_city
from poc_server.store import Store, StoreSettings, audit
from poc_server.store import tables as t
from poc_server.store.sql.backup import BadBackup, backup, restore
from poc_server.store.sql.engine import Database
from poc_server.store.sql.migrate import current, newest
from tests.fixtures.databases import create_database
from tests.fixtures.postgres import Postgres

pytestmark = pytest.mark.wire


@pytest.fixture(params=["sqlite", "postgresql"])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    if request.param == "sqlite":
        return Database.open(StoreSettings(), tmp_path / "target")
    cluster: Postgres = request.getfixturevalue("postgres")
    name = f"target{abs(hash(request.node.nodeid))}"
    return Database.open(StoreSettings(url=asyncio.run(create_database(cluster, name))), tmp_path)


async def content(database: Database) -> dict[str, list[tuple[object, ...]]]:
    async with database.reading() as connection:
        found = {}
        for table in t.metadata.sorted_tables:
            rows = (await connection.execute(select(table).order_by(*table.primary_key.columns))).all()
            found[table.name] = [tuple(bytes(v) if isinstance(v, memoryview) else v for v in row) for row in rows]
        return found


async def test_a_city_comes_back_whole_on_either_database(store: Store, target: Database, tmp_path: Path) -> None:
    await build_city(store)
    await store.journal.drain()  # places of people come by the journal
    file = tmp_path / "backup.gz"
    counts = await backup(store.database, file)
    assert (counts["users"], counts["talk_group"], file.stat().st_mode & 0o077) == (40, 12, 0)
    assert await restore(target, file) == counts
    assert await content(target) == await content(store.database)
    async with target.reading() as connection:
        assert (await audit.verify(connection)).broken_at is None
    with pytest.raises(BadBackup, match="not empty"):
        await restore(target, file)
    await target.aclose()


async def test_a_backup_of_older_tables_is_brought_to_the_newest(tmp_path: Path) -> None:
    backup_at_old_revision(tmp_path / "backup.gz")
    fresh = Database.open(StoreSettings(), tmp_path / "fresh")
    await restore(fresh, tmp_path / "backup.gz")
    assert await current(fresh) == newest()
    async with fresh.reading() as connection:
        assert await connection.scalar(select(t.agency.c.name)) == "江城"
    await fresh.aclose()


def backup_at_old_revision(file: Path) -> None:
    """As the program of that time wrote it."""
    lines = [
        {"format": 1, "revision": "0001"},
        ["agency", {"id": "ag", "name": "江城", "created_ms": 1, "version": 0}],
        ["directory_version", {"id": 1, "version": 3}],
        [
            "audit_chain",
            {"id": 1, "seq": 0, "hash": {"base64": "AA=="}, "pruned_seq": 0, "pruned_hash": {"base64": ""}},
        ],
        {"end": {"agency": 1, "directory_version": 1, "audit_chain": 1}},
    ]
    file.write_bytes(gzip.compress(b"".join(json.dumps(line).encode() + b"\n" for line in lines)))


@pytest.mark.parametrize("damage", ["cut", "row lost", "not gzip", "empty", "other json"])
async def test_a_file_that_is_not_whole_changes_nothing(tmp_path: Path, damage: str) -> None:
    store = await Store.open(StoreSettings(), tmp_path / "data")
    await build_city(store)
    await store.journal.drain()  # places of people come by the journal
    file = tmp_path / "backup.gz"
    await backup(store.database, file)
    await store.aclose()
    whole = file.read_bytes()
    lines = gzip.decompress(whole).splitlines(keepends=True)
    damaged = {
        "cut": whole[: len(whole) // 2],
        "row lost": gzip.compress(b"".join(lines[:20] + lines[21:])),
        "not gzip": b"hello",
        "empty": b"",
        "other json": gzip.compress(b'{"a": 1}\n'),
    }
    file.write_bytes(damaged[damage])
    fresh = Database.open(StoreSettings(), tmp_path / "fresh")
    with pytest.raises(BadBackup):
        await restore(fresh, file)
    assert await current(fresh) is None
    await fresh.aclose()
