"""The store as the process sees it: directory, changes, journal, and what keeps them fresh in the background."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.refused import StoreUnavailable
from poc_server.store import copy, rows
from poc_server.store.audit import SYSTEM, Actor
from poc_server.store.change import Change, changing
from poc_server.store.directory import Directory, DirectoryChange
from poc_server.store.engine import Database, is_away
from poc_server.store.ids import now_ms
from poc_server.store.journal import Journal
from poc_server.store.migrate import migrate
from poc_server.store.settings import StoreSettings

log = structlog.get_logger(__name__)
REMEMBER_ENDED_MS = 86_400_000
"""How long an ended session is remembered: longer than any access token lives."""


class Store:
    """Opens with SQL, or with the copy on disk while SQL is away, and then waits for SQL in the background.

    Attributes:
        ready: SQL was reached and is at the newest tables.
    """

    def __init__(self, settings: StoreSettings, data: Path) -> None:
        self.settings = settings
        self.data = data
        self.database = Database.open(settings, data)
        self.directory = Directory()
        self.journal = Journal(data / "journal", self.database, settings.journal)
        self.ready = False
        self._copy = copy.CopyKeeper(data / "directory.copy")
        self._fresh = asyncio.Lock()
        self._nudge = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.directory.subscribe(self._keep_copy)

    @classmethod
    async def open(cls, settings: StoreSettings, data: Path) -> Store:
        """Migrate, load, start the background work. Raises `StoreUnavailable` only when there is no copy either."""
        store = cls(settings, data)
        try:
            await store._first_load()
        except BaseException:
            await store.aclose()
            raise
        store.journal.start()
        store._task = asyncio.create_task(store._keep_fresh(), name="directory-refresh")
        return store

    @asynccontextmanager
    async def change(self, actor: Actor = SYSTEM, at_ms: int | None = None) -> AsyncIterator[Change]:
        """Change people, groups, sessions. When this ends without exception, the directory holds the change."""
        async with changing(self.database, actor, at_ms) as change:
            yield change
        await self.refresh()

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only view of SQL, for lists and searches. Raises `StoreUnavailable`."""
        return self.database.reading()

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction for what is not in the directory. Raises `StoreUnavailable`."""
        return self.database.writing()

    async def refresh(self) -> None:
        """Read what changed since the directory's version and tell its listeners."""
        async with self._fresh:
            since = now_ms() - REMEMBER_ENDED_MS
            async with self.database.reading() as connection:
                delta = await rows.changes_since(connection, self.directory.version)
                if delta is None:
                    self.directory.replace(await rows.load(connection, since))
                else:
                    self.directory.patch(delta, since)

    def nudge(self) -> None:
        """Another node says that something changed: look now instead of at the next poll."""
        self._nudge.set()

    async def aclose(self) -> None:
        """Stop the background work, put everything on disk, close SQL."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        await self.journal.aclose()
        await self._copy.aclose()
        await self.database.aclose()

    async def _first_load(self) -> None:
        try:
            await self._reach_sql()
        except StoreUnavailable as problem:
            found = await asyncio.to_thread(copy.read, self.data / "directory.copy")
            if found is None:
                raise
            log.warning("started_from_copy", version=found.version, problem=str(problem))
            self.directory.replace(found)

    async def _reach_sql(self) -> None:
        await migrate(self.database)
        async with self.database.reading() as connection:
            self.directory.replace(await rows.load(connection, now_ms() - REMEMBER_ENDED_MS))
        self.ready = True

    async def _keep_fresh(self) -> None:
        away = not self.ready
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), self.settings.poll_ms / 1000)
            self._nudge.clear()
            try:
                await (self.refresh() if self.ready else self._reach_sql())
            except Exception as problem:
                if not is_away(problem):
                    log.exception("directory_refresh_failed")
                elif not away:
                    log.warning("directory_sql_away", problem=str(problem))
                away = True
            else:
                if away:
                    log.info("directory_sql_back", version=self.directory.version)
                away = False

    def _keep_copy(self, change: DirectoryChange) -> None:
        self._copy.keep(change.after)
