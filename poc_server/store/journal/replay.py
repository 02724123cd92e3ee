"""From the journal's files into SQL: in order, once each, for as long as it takes."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Row, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store import tables as t
from poc_server.store.journal import lines
from poc_server.store.journal.identity import Identity
from poc_server.store.journal.kinds import appliers, records
from poc_server.store.settings import JournalSettings
from poc_server.store.sql import locks
from poc_server.store.sql.engine import Database, is_away
from poc_server.store.sql.statements import in_parts

log = structlog.get_logger(__name__)
CHUNK_BYTES = 128_000
SLICE = 50
"""Records read, or made into rows, before the loop may do something else: however far behind, it holds up no voice."""
PAUSE_S = 0.1
"""Between two applications: what comes meanwhile shares a transaction, for each burst's costs a dozen statements."""
DEAD_LETTERS = "dead.letters"
MAX_LETTER_CHARS = 100_000
_DAY_S = 86_400


class Replayer:
    """Applies segments to SQL. Two may do so with one folder: each passes over what the other has applied.

    Args:
        of: of this node's journal its identity, of another's its name. What cannot be read in another's is left to that
            node: it may be one of a later version.
        clock: ms since the epoch, that of all nodes.

    Attributes:
        appliers: how each kind of record becomes rows.
        applied: records that this process has found in SQL or brought there.
        dead: records that can never be applied; they are kept in ``dead.letters`` with the reason.
        away: SQL could not be reached at the last try.
    """

    def __init__(
        self,
        of: Identity | str,
        folder: Path,
        database: Database,
        settings: JournalSettings,
        clock: Callable[[], int],
    ) -> None:
        self.appliers = appliers(clock)
        self.applied = 0
        self.dead = 0
        self.away = False
        self._own = of if isinstance(of, Identity) else None
        self._name = of.name if isinstance(of, Identity) else of
        self._mark = ""
        self._folder = folder
        self._database = database
        self._settings = settings
        self._at: tuple[int, int] | None = None
        self._one = asyncio.Lock()

    async def drain(self) -> int:
        """Apply all that is on disk; returns how many records. Raises `StoreUnavailable` when SQL is away."""
        async with self._one:
            before = self.applied
            while await self._step():
                pass
            return self.applied - before

    async def run(self, wake: asyncio.Event) -> None:
        """Apply whatever comes, until cancelled; while SQL is away, try again and again."""
        while True:
            wake.clear()
            try:
                await self.drain()
                self._recovered()
                await asyncio.to_thread(self.forget_old)
                await asyncio.sleep(PAUSE_S)
                await wake.wait()
            except Exception as problem:
                if not is_away(problem):
                    log.exception("journal_replay_failed")
                elif not self.away:
                    # It may be this node's disk that fails, on which the journal is marked while SQL is asked.
                    cause = problem.__cause__
                    log.warning("journal_sql_away", problem=str(cause if isinstance(cause, OSError) else problem))
                self.away = True
                await asyncio.sleep(self._settings.retry_ms / 1000)

    def forget_old(self) -> None:
        """Delete segments that stand wholly in SQL and are older than ``keep_days``."""
        if self._at is None:
            return
        limit = time.time() - self._settings.keep_days * _DAY_S
        for number in lines.segments(self._folder):
            path = lines.segment_path(self._folder, number)
            if number < self._at[0] and path.stat().st_mtime < limit:
                path.unlink()

    def _recovered(self) -> None:
        if self.away:
            log.info("journal_sql_back", applied=self.applied)
        self.away = False

    async def _step(self) -> bool:
        if self._at is None:
            self._at = await (self._position() if self._own is None else self._claim(self._own))
        chunk = await asyncio.to_thread(lines.read_chunk, self._folder, *self._at, CHUNK_BYTES)
        if chunk is None:
            return False
        entries = await _entries(chunk)
        if self._own is None and any(entry.strange for entry in entries):
            raise Strange(self._folder)
        # The letters are on disk before the position passes them: after a crash one may be there twice, never not.
        await self._bury([entry for entry in entries if entry.record is None])
        try:
            for part in in_parts(entries, self._settings.batch):
                await self._apply(chunk.segment, part)
        except _Copied:
            self._at = None  # it is claimed anew, under another name
        return True

    async def _claim(self, own: Identity) -> tuple[int, int]:
        """Where SQL stands in this node's journal, which has a new mark from now on."""
        async with self._database.writing() as connection:
            row = await _row(connection, own.name, lock=True)
            if row is not None and row.mark not in (None, await asyncio.to_thread(own.mark)):
                await asyncio.to_thread(own.rename)
                log.warning("journal_renamed", was=self._name, name=own.name, folder=str(self._folder))
                row = None
            self._name = own.name
            self._mark = await asyncio.to_thread(own.renew)
            at = (0, 0) if row is None else (row.segment, row.position)
            await _save_position(connection, self._name, *at, mark=self._mark)
        return at

    async def _still_ours(self, mark: str | None) -> None:
        """Raises `_Copied` when the mark in SQL is that of a copy. Another process with this folder renews it, too."""
        if self._own is None or mark in (None, self._mark):
            return
        self._mark = await asyncio.to_thread(self._own.mark)
        if mark != self._mark:
            raise _Copied

    async def _apply(self, segment: int, part: list[_Entry]) -> None:
        """One transaction: the rows and the position after them. What another node has brought in is passed over."""
        try:
            async with self._database.writing() as connection:
                row = await _row(connection, self._name, lock=True)
                await self._still_ours(None if row is None else row.mark)
                stands = (0, 0) if row is None else (row.segment, row.position)
                new = [entry for entry in part if (segment, entry.end) > stands]
                await self._apply_all(connection, [entry.record for entry in new if entry.record is not None])
                if new:
                    await _save_position(connection, self._name, segment, part[-1].end)
        except Exception as problem:
            if is_away(problem) or isinstance(problem, _Copied):
                raise
            if len(part) > 1:
                log.warning("journal_batch_refused", problem=type(problem).__name__, records=len(part))
                for entry in part:
                    await self._apply(segment, [entry])
                return
            await self._bury([replace(part[0], reason=f"{type(problem).__name__}: {problem}")])
            await self._apply(segment, [replace(part[0], record=None)])
        else:
            self.applied += sum(entry.record is not None for entry in part)
            self._at = (segment, part[-1].end)

    async def _apply_all(self, connection: AsyncConnection, batch: list[Any]) -> None:
        """Slices of a run of one kind go in one statement each; the order of kinds is kept."""
        kinds = {record.kind for record in batch}
        if not kinds.isdisjoint(("session_ended", "shut_out")):
            await locks.directory(connection)
        if not kinds.isdisjoint(("burst", "incident_joined", "alert")):
            await locks.outbox(connection)
        for kind, run in itertools.groupby(batch, key=lambda record: record.kind):
            for part in in_parts(run, SLICE):
                await self.appliers[kind](connection, part)

    async def _bury(self, bad: list[_Entry]) -> None:
        if not bad:
            return
        await asyncio.to_thread(_write_letters, self._folder / DEAD_LETTERS, bad)
        self.dead += len(bad)
        log.error("journal_dead_letters", count=len(bad), reason=bad[0].reason[:200])

    async def behind(self) -> tuple[int, int] | None:
        """Where SQL stands in the folder when there is more than that; None when there is not. Read anew."""
        self._at = await self._position()
        chunk = await asyncio.to_thread(lines.read_chunk, self._folder, *self._at, 1)
        return None if chunk is None else self._at

    async def _position(self) -> tuple[int, int]:
        async with self._database.reading() as connection:
            row = await _row(connection, self._name)
        return (0, 0) if row is None else (row.segment, row.position)


class Strange(Exception):
    """Another node's journal holds what this program does not know."""


class _Copied(Exception):
    """A copy of this journal's folder goes on under its name."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line, where it ends in its segment, and its record; None with the reason when it can never be applied.

    ``strange``: it is whole, but of no form that is known here.
    """

    end: int
    line: bytes
    record: Any | None
    reason: str = ""
    strange: bool = False


async def _entries(chunk: lines.Chunk) -> list[_Entry]:
    if chunk.torn:
        return [_Entry(chunk.end, chunk.torn, None, "torn")]
    entries: list[_Entry] = []
    end = chunk.end - sum(len(line) + 1 for line in chunk.lines)
    for number, line in enumerate(chunk.lines):
        if number % SLICE == 0:
            await asyncio.sleep(0)
        end += len(line) + 1
        try:
            entries.append(_Entry(end, line, records.validate_python(lines.decode(line))))
        except lines.BadLine as problem:
            entries.append(_Entry(end, line, None, str(problem)))
        except ValidationError as problem:
            entries.append(_Entry(end, line, None, str(problem), strange=True))
    return entries


def _write_letters(path: Path, bad: list[_Entry]) -> None:
    with path.open("ab") as file:
        for entry in bad:
            shown = entry.line.decode("utf-8", "replace")[:MAX_LETTER_CHARS]
            file.write(lines.encode({"reason": entry.reason[:500], "line": shown}))
        file.flush()
        os.fsync(file.fileno())


async def _row(connection: AsyncConnection, name: str, *, lock: bool = False) -> Row[Any] | None:
    """Where SQL stands in the journal of that name; ``lock``: nobody else moves it in this transaction."""
    query = select(t.journal_position).where(t.journal_position.c.journal == name)
    return (await connection.execute(query.with_for_update() if lock else query)).one_or_none()


async def _save_position(connection: AsyncConnection, name: str, segment: int, position: int, **more: str) -> None:
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"segment": segment, "position": position, **more}
    statement = make(t.journal_position).values(journal=name, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["journal"], set_=values))
