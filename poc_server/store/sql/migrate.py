"""Brings a database of any age to the newest tables, in one transaction.

While a city is upgraded node by node, one that is not yet upgraded may have to start again on tables that a later
version made: it leaves them as they are, for they hold all that the version before reads and writes
(docs/decisions: nodes of two versions).
"""

from __future__ import annotations

import asyncio
import functools
import sqlite3
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from poc_server.ground.refused import StoreUnavailable
from poc_server.store.sql.engine import Database

log = structlog.get_logger(__name__)

LOCK = 7_621_001
"""Of PostgreSQL: any number of our own, for two nodes that start together must not both migrate."""
PATIENCE_S = 30.0
"""How long one who starts waits for another process that migrates, or holds a table that is to be changed."""
_LOOK_AGAIN_S = 0.05
_TABLE_WAIT = "2s"
"""How long PostgreSQL waits for a table that others use: whoever wants it next waits behind this one."""
_LOCK_NOT_AVAILABLE = "55P03"


def config() -> Config:
    """Alembic's configuration, made in memory: no ini file to lose."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    return made


@functools.cache
def _scripts() -> ScriptDirectory:
    """The migrations of this program, read once: they are as many files as there were changes of the tables."""
    return ScriptDirectory.from_config(config())


def newest() -> str:
    """The revision this program works with."""
    head = _scripts().get_current_head()
    if head is None:
        raise RuntimeError("no migrations are installed")
    return head


async def migrate(database: Database, revision: str = "head", patience_s: float = PATIENCE_S) -> None:
    """Apply what is missing up to ``revision``, nothing where the tables are of a later version.

    Raises `StoreUnavailable` when SQL is away, alembic's ``CommandError`` for a ``revision`` that is not known.
    Another node that migrates is waited for, ``patience_s`` at most: it may take longer than SQL waits by itself.
    """
    loop = asyncio.get_running_loop()
    end, told = loop.time() + patience_s, False
    while True:
        try:
            await _migrate(database, revision)
        except StoreUnavailable as problem:
            held = _held(problem)
            if not held:
                raise
            if loop.time() > end:
                raise StoreUnavailable(f"{held}, for {patience_s:g} s already") from problem
            if not told:
                log.info("migration_waits", why=held, at_most_s=patience_s)
            told = True
            await asyncio.sleep(_LOOK_AGAIN_S)
        else:
            return


class _AnotherMigrates(StoreUnavailable):
    """Another node holds the lock of those who migrate."""


async def _migrate(database: Database, revision: str) -> None:
    async with database.writing() as connection:
        if not database.sqlite:
            if not await connection.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": LOCK}):
                raise _AnotherMigrates
            await connection.execute(text(f"SET LOCAL lock_timeout = '{_TABLE_WAIT}'"))
        await connection.run_sync(_upgrade, revision)


async def current(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    async with database.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def _held(problem: StoreUnavailable) -> str:
    """Who holds just now what is to be changed; empty when that is not what is wrong."""
    if isinstance(problem, _AnotherMigrates):
        return "another process migrates the tables"
    found = getattr(problem.__cause__, "orig", None)
    if getattr(found, "sqlstate", None) == _LOCK_NOT_AVAILABLE:
        return "others use the tables"
    # The last eight bits are the kind of error, those above say more about it.
    kind = getattr(found, "sqlite_errorcode", 0) & 0xFF if isinstance(found, sqlite3.Error) else None
    return "another process writes the file" if kind == sqlite3.SQLITE_BUSY else ""


def _upgrade(connection: Connection, revision: str) -> None:
    there = MigrationContext.configure(connection).get_current_revision()
    if revision == "head" and there is not None:
        if there == newest():
            return
        if there not in {each.revision for each in _scripts().walk_revisions()}:
            log.warning("tables_of_a_later_version", revision=there, known=newest())
            return
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)
