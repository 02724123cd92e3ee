"""What was decided, kept: in SQL, and where SQL does not answer at once on the disk of every node.

Nobody waits for a database, and what was done stands there all the same afterwards, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from poc_server.emergency.sql_watch import SQL_WITHIN_S
from poc_server.ground.refused import StoreUnavailable
from poc_server.store.audit import AuditEntry

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk, Noted

log = structlog.get_logger(__name__)
START_WITHIN_S = 1.0
"""For what a leader begins: a desk that died may have kept it already, and it must not begin twice for a slow SQL."""
DISK_WITHIN_S = 2.0
"""A disk that takes longer is failing."""
NOW_ON_DISK_S = 0.5
"""A leader who takes the air, and who takes an alert, waits no longer for it: it is kept when the disk, or SQL, can."""
T = TypeVar("T")


class Keeping:
    """The two places in which something is kept."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def in_sql(self, work: Coroutine[Any, Any, T], within_s: float = SQL_WITHIN_S) -> tuple[T] | None:
        """Its result when SQL did it in time; None when SQL is away or slow. Raises what ``work`` refuses.

        Of an SQL that is known to be silent it is not asked at all: the journal brings it there.
        """
        if self._desk.sql.silent:
            work.close()
            return None
        task = self._desk.later.beside(work)
        await asyncio.wait({task}, timeout=within_s)
        if not task.done():
            return None
        try:
            return (task.result(),)
        except StoreUnavailable:
            return None

    async def on_disk(
        self, records: Iterable[Noted], entries: Iterable[AuditEntry] = (), within_s: float = DISK_WITHIN_S
    ) -> None:
        """Returns when it is on the disk of this node; the others were told.

        Raises `StoreUnavailable`; it goes there all the same as soon as the disk takes it.
        """
        for record in records:
            self._desk.note(record)
            await asyncio.sleep(0)
        for entry in entries:
            self._desk.store.journal.audit(entry)
        try:
            async with asyncio.timeout(within_s):
                await self._desk.store.journal.flush()
        except TimeoutError:
            raise StoreUnavailable("neither SQL nor the disk") from None

    async def now_or_later(self, records: Sequence[Noted], entries: Iterable[AuditEntry] = ()) -> bool:
        """Whether it is on the disk of this node now. Else it will be, or in SQL, and cannot be taken back any more."""
        try:
            await self.on_disk(records, entries, NOW_ON_DISK_S)
        except StoreUnavailable:
            log.warning("not_kept_yet", records=[f"{each.kind}/{each.id}" for each in records])
            return False
        return True
