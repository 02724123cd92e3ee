"""The store as the process sees it: directory, changes, journal, and what keeps them fresh in the background."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.ground.refused import StoreUnavailable
from poc_server.store import retention
from poc_server.store.audit import SYSTEM, Actor
from poc_server.store.change import Change, changing
from poc_server.store.city import duty
from poc_server.store.clock import SoundClock
from poc_server.store.directory import Directory, DirectoryChange, directory_copy, rows
from poc_server.store.directory.difference import difference
from poc_server.store.directory.snapshot import Delta, Snapshot
from poc_server.store.ids import now_ms
from poc_server.store.journal import Journal, OthersJournals
from poc_server.store.journal.kinds import SessionEnded
from poc_server.store.journal.others import EVERY_S as OTHERS_EVERY_S
from poc_server.store.looks import Looks
from poc_server.store.places import OLDEST_MS, Places, load_newest
from poc_server.store.settings import StoreSettings
from poc_server.store.shutting_out import ShuttingOut
from poc_server.store.sql.engine import Database, is_away
from poc_server.store.sql.migrate import migrate

log = structlog.get_logger(__name__)
REMEMBER_ENDED_MS = 86_400_000
"""How long an ended session is remembered: longer than any access token lives. Older refresh tokens need SQL."""
PRUNE_EVERY_MS = 3_600_000


class Store:
    """Opens with SQL, or with the copy on disk while SQL is away, and then waits for SQL in the background.

    Attributes:
        clock: ms since the epoch, the same on all nodes; it goes back where it is set back.
        ready: SQL was reached and is at the newest tables.
        looks: what is asked again and again.
        importing: held by who reads a file in: two at once would each have to judge again after each step of the other.
        shutting_out: disables devices and people at once.
        tell_ended: says to other nodes which session ended, and when (ms): of what SQL cannot tell them just now.
    """

    def __init__(
        self, settings: StoreSettings, data: Path, clock: Callable[[], int] = now_ms, own: Path | None = None
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.sound_clock = SoundClock(clock)
        self.data = data
        self.database = Database.open(settings, data)
        self.looks = Looks(self.database.reading)
        self.directory = Directory()
        folder = (own or data) / "journal"
        self.journal = Journal(folder, self.database, settings.journal, clock)
        self.journals_of_others = OthersJournals(data, folder, self.database, settings.journal, clock)
        self.places = Places(self.journal, settings.places, clock)
        self.ready = False
        self.importing = asyncio.Lock()
        self.shutting_out = ShuttingOut(self)
        self.tell_ended: Callable[[str, int], None] = lambda _session, _at_ms: None
        self._copy_path = (own or data) / "directory.copy"
        self._copy = directory_copy.CopyKeeper(self._copy_path)
        self._fresh = asyncio.Lock()
        self._nudge = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._refreshed = asyncio.Event()
        self._duty_due = 0
        self._duty_seen = 0
        self._prune_due = 0
        self.directory.subscribe(self._changed)

    @classmethod
    async def open(
        cls, settings: StoreSettings, data: Path, clock: Callable[[], int] = now_ms, own: Path | None = None
    ) -> Store:
        """Migrate, load, start the background work. Raises `StoreUnavailable` only when there is no copy either.

        ``clock`` is the one all nodes share, ms since the epoch; ``own`` is the folder of journal and copy where
        several nodes share ``data``.
        """
        store = cls(settings, data, clock, own)
        try:
            await store._first_load()
        except BaseException:
            await store.aclose()
            raise
        store.journal.start()
        store._tasks = [
            asyncio.create_task(store._keep_fresh(), name="directory-refresh"),
            asyncio.create_task(store._keep_house(), name="store-upkeep"),
            asyncio.create_task(store._look_after_others(), name="journals-of-others"),
        ]
        return store

    @asynccontextmanager
    async def change(self, actor: Actor = SYSTEM, at_ms: int | None = None) -> AsyncIterator[Change]:
        """Change people, groups, sessions. When this ends without exception, the directory holds the change."""
        await self.shutting_out.settle()
        async with changing(self.database, actor, self.clock() if at_ms is None else at_ms) as change:
            yield change
        await self.refresh()

    def end_session(self, session: str, reason: str) -> None:
        """End a session while SQL is away: here and on the nodes beside it at once, in SQL when it is back."""
        now = self.clock()
        self.journal.append(SessionEnded(id=session, at_ms=now, reason=reason))
        self.learn_ended({session: now})
        self.tell_ended(session, now)

    def learn_ended(self, ended: Mapping[str, int]) -> None:
        """These sessions ended, at these times (ms); SQL does not say so yet."""
        self.directory.patch(Delta(self.directory.version, ended_sessions=ended))

    def reading(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A read-only view of SQL, for lists and searches. Raises `StoreUnavailable`."""
        return self.database.reading()

    def writing(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction for what is not in the directory. Raises `StoreUnavailable`."""
        return self.database.writing()

    async def refresh(self) -> None:
        """Read what changed since the directory's version and tell its listeners."""
        async with self._fresh:
            since, version = self.clock() - REMEMBER_ENDED_MS, self.directory.version
            delta = await self.looks.ask(lambda connection: rows.changes_since(connection, version))
            if delta is not None:
                self.directory.patch(delta, since)
                return
            async with self.database.reading() as connection:
                await self._replace(await rows.load(connection, since))

    async def believe(self, out: Mapping[str, int]) -> None:
        """Take what SQL says of people and devices that were shut out at these times (ms), unless they were again."""
        async with self._fresh:
            now = self.directory.snapshot
            async with self.database.reading() as connection:
                found = await rows.again(
                    connection, now.version, out.keys() & now.users.keys(), out.keys() & now.devices.keys()
                )
            shut_out = self.directory.snapshot.shut_out  # somebody may have been, again, while it was read
            over = {key for key, at_ms in out.items() if shut_out.get(key) == at_ms}
            self.directory.patch(dataclasses.replace(found, shut_out=dict.fromkeys(over)))

    def nudge(self) -> None:
        """Another node says that something changed: look now instead of at the next poll."""
        self._nudge.set()

    async def answers(self) -> bool:
        """Whether SQL is there just now."""
        try:
            async with self.reading() as connection:
                await connection.execute(select(1))
        except StoreUnavailable:
            return False
        return True

    async def aclose(self) -> None:
        """Stop the background work, put everything on disk, close SQL."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.looks.aclose()
        await self.journal.aclose()
        await self._copy.aclose()
        await self.database.aclose()

    async def _first_load(self) -> None:
        try:
            await self._reach_sql()
        except StoreUnavailable as problem:
            found = await asyncio.to_thread(directory_copy.read, self._copy_path)
            if found is None:
                raise
            log.warning("started_from_copy", version=found.version, problem=str(problem))
            self.directory.replace(found)

    async def _reach_sql(self) -> None:
        await migrate(self.database)
        # A change that is committed meanwhile must not be taken back by what was read before it.
        async with self._fresh, self.database.reading() as connection:
            await self._replace(await rows.load(connection, self.clock() - REMEMBER_ENDED_MS))
            async for place in load_newest(connection, self.clock() - OLDEST_MS):
                self.places.learn(place)
        self.ready = True

    async def _replace(self, loaded: Snapshot) -> None:
        """Listeners are told what is different, found in slices: looking at everybody at once would hold the loop."""
        before = self.directory.snapshot
        self.directory.replace(loaded, await difference(before, loaded) if before.version else None)

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
                self._refreshed.set()

    async def _keep_house(self) -> None:
        """After each look at the directory what is due: beside it, for what others changed does not wait for that."""
        while True:
            await self._refreshed.wait()
            self._refreshed.clear()
            try:
                await self.shutting_out.settle(within_s=None)
                await self._settle_duty()
                await self._prune()
            except Exception as problem:
                if not is_away(problem):
                    log.exception("store_upkeep_failed")

    async def _look_after_others(self) -> None:
        """What a node that is gone could not bring into SQL, this one does."""
        while True:
            await asyncio.sleep(OTHERS_EVERY_S)
            try:
                await self.journals_of_others.look()
            except Exception as problem:
                if not is_away(problem):
                    log.exception("journals_of_others_failed")

    async def _settle_duty(self) -> None:
        """When a shift begins or ends: who is on duty joins the groups that follow it, who is not leaves."""
        now = self.clock()
        if self._duty_seen <= now < self._duty_due:
            return
        self._duty_seen = now
        snapshot = self.directory.snapshot
        async with self.reading() as connection:
            anything = await duty.due(connection, snapshot, now)
        if anything:
            async with self.change(at_ms=now) as change:
                await duty.settle(change, snapshot)
        self._duty_due = duty.next_boundary(snapshot, now) or now + PRUNE_EVERY_MS

    async def _prune(self) -> None:
        now = self.clock()
        if now >= self._prune_due and self.sound_clock.sound():
            pruned = await retention.prune(self.database, self.settings.retention, now)
            if any(dataclasses.astuple(pruned)):
                log.info("pruned", **dataclasses.asdict(pruned))
            self.places.forget_old()
            self._prune_due = now + PRUNE_EVERY_MS

    def _changed(self, change: DirectoryChange) -> None:
        # Who is shut out stands nowhere else from which a node that dies now could start without SQL.
        self._copy.keep(change.after, at_once=change.after.shut_out != change.before.shut_out)
        if change.everything or change.shifts or change.groups or change.units:
            self._duty_due = 0
        for user in change.before.users.keys() if change.everything else change.users:
            if user not in change.after.users:
                self.places.forget(user)
