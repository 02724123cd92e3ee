"""The two real databases behind one door: SQLite (WAL, one writer) by default, PostgreSQL by URL.

SQLite takes its write lock when a transaction begins (``BEGIN IMMEDIATE``): a deferred one that reads first and
writes later fails at once with "database is locked", whatever the timeout says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import Connection, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from poc_server.ground.cancellation import cancellation_kept
from poc_server.ground.refused import StoreUnavailable
from poc_server.store.settings import StoreSettings

TRANSIENT_STATES = ("08", "40", "53", "55", "57", "58", "25006")
"""SQLSTATE classes that say "not now", not "never": connection, rollback, resources, locks, shutdown, read-only."""


CLOSE_S = 0.2
"""Parting from PostgreSQL takes no longer."""


class _Connection(asyncpg.Connection):  # type: ignore[misc]
    """One that is given up because nothing answers is not said goodbye to at length.

    SQLAlchemy gives that two seconds, in which whoever had a limit on his patience would wait on.
    """

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's
        """See `asyncpg.Connection.close`. Raises TimeoutError where there was no answer; it is closed then, too."""
        await super().close(timeout=CLOSE_S if timeout is None else min(timeout, CLOSE_S))


class Database:
    """Opens transactions. Reading and writing are told apart, so that on SQLite only one at a time writes."""

    def __init__(self, url: str, settings: StoreSettings) -> None:
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        if self.sqlite:
            self._writer = _sqlite_engine(url, settings, write=True)
            self._reader = _sqlite_engine(url, settings, write=False)
        else:
            self._writer = self._reader = _postgres_engine(url, settings)
        # SQLite has no server that may be silent; whoever writes there waits for who writes now.
        self._within_s = None if self.sqlite else settings.connect_timeout_s

    @classmethod
    def open(cls, settings: StoreSettings, data: Path) -> Database:
        """A database that connects when first used. Creates the folder that holds a SQLite file."""
        url = settings.resolved_url(data)
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        return cls(url, settings)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A read-only view. Raises `StoreUnavailable` when SQL is away."""
        async with _told(), self._had(self._reader.connect()) as connection:
            yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """A read-only view in which nothing changes while it is read. Raises `StoreUnavailable`."""
        async with self.reading() as connection:
            if not self.sqlite:  # where every transaction is one
                await connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, committed at the end unless an exception passes. Raises `StoreUnavailable`."""
        async with _told(), self._had(self._writer.begin()) as connection:
            yield connection

    @asynccontextmanager
    async def _had(self, opening: AbstractAsyncContextManager[AsyncConnection]) -> AsyncIterator[AsyncConnection]:
        """A connection that was had in time, though one that was kept is asked first whether anything answers there.

        Who needs a PostgreSQL that hangs is refused while he still waits for an answer: a statement may take longer.
        """
        async with AsyncExitStack() as opened:
            async with asyncio.timeout(self._within_s):
                connection = await opened.enter_async_context(opening)
            yield connection

    async def aclose(self) -> None:
        """Close every connection."""
        await self._writer.dispose()
        await self._reader.dispose()


def is_away(problem: BaseException) -> bool:
    """Whether ``problem`` means that SQL is away or busy, rather than that a statement is wrong."""
    if isinstance(problem, DBAPIError):
        cause = problem.orig.__cause__ if problem.orig is not None else None
        state = getattr(problem.orig, "sqlstate", None) or getattr(cause, "sqlstate", None)
        if state is not None:
            return str(state).startswith(TRANSIENT_STATES)
        # asyncpg says DataError (a ValueError) for an argument it cannot encode, under the name of InterfaceError.
        if isinstance(cause, ValueError | TypeError):
            return False
        return problem.connection_invalidated or isinstance(problem, OperationalError | InterfaceError)
    return isinstance(problem, OSError | TimeoutError | PoolTimeout | StoreUnavailable)


@asynccontextmanager
async def _told() -> AsyncIterator[None]:
    """Turns what drivers raise when SQL is away into the one refusal for it."""
    with cancellation_kept():
        try:
            yield
        except StoreUnavailable:
            raise
        except Exception as problem:
            if is_away(problem):
                raise StoreUnavailable(type(problem).__name__) from problem
            raise


def _postgres_engine(url: str, settings: StoreSettings) -> AsyncEngine:
    return create_async_engine(
        url,
        pool_size=settings.pool,
        max_overflow=0,
        pool_timeout=settings.connect_timeout_s,
        pool_pre_ping=True,
        hide_parameters=True,  # an error is logged; a password hash or a name is not
        connect_args={
            "timeout": settings.connect_timeout_s,
            "command_timeout": settings.command_timeout_s,
            "connection_class": _Connection,
        },
    )


def _sqlite_engine(url: str, settings: StoreSettings, *, write: bool) -> AsyncEngine:
    engine = create_async_engine(
        url,
        pool_size=1 if write else 4,
        max_overflow=0,
        pool_timeout=settings.command_timeout_s,
        hide_parameters=True,
    )
    pragmas = (
        f"busy_timeout={settings.busy_timeout_ms}",
        "journal_mode=WAL",
        "synchronous=FULL",  # what was announced as committed outlives a power cut
        "foreign_keys=ON",
        f"query_only={'OFF' if write else 'ON'}",
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not open transactions of its own
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
