"""Brings a database of any age to the newest tables, in one transaction."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from poc_server.store.engine import Database

_LOCK = 7_621_001  # any number of our own: two nodes that start together must not both migrate


def config() -> Config:
    """Alembic's configuration, made in memory: no ini file to lose."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return made


def newest() -> str:
    """The revision this program works with."""
    head = ScriptDirectory.from_config(config()).get_current_head()
    if head is None:
        raise RuntimeError("no migrations are installed")
    return head


async def migrate(database: Database, revision: str = "head") -> None:
    """Apply what is missing up to ``revision``. Raises `StoreUnavailable` when SQL is away."""
    async with database.writing() as connection:
        if not database.sqlite:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
        await connection.run_sync(_upgrade, revision)


async def current(database: Database) -> str | None:
    """The revision the database is at; None when it is empty."""
    async with database.reading() as connection:
        return await connection.run_sync(lambda sync: MigrationContext.configure(sync).get_current_revision())


def _upgrade(connection: Connection, revision: str) -> None:
    made = config()
    made.attributes["connection"] = connection
    command.upgrade(made, revision)
