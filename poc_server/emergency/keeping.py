"""What was decided, kept: in SQL, and where SQL does not answer at once on the disk of every node.

Nobody waits for a database, and what was done stands there all the same afterwards, once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

from poc_server.refused import StoreUnavailable
from poc_server.store.audit import AuditEntry

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk, Noted

SQL_WITHIN_S = 0.5
"""SQL may take so long; then the disk stands in for it, and SQL may still do its part: it changes nothing twice."""
START_WITHIN_S = 1.0
"""For what a leader begins: a desk that died may have kept it already, and it must not begin twice for a slow SQL."""
DISK_WITHIN_S = 2.0
"""A disk that takes longer is failing."""
T = TypeVar("T")


class Keeping:
    """The two places in which something is kept."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def in_sql(self, work: Coroutine[Any, Any, T], within_s: float = SQL_WITHIN_S) -> tuple[T] | None:
        """Its result when SQL did it in time; None when SQL is away or slow. Raises what ``work`` refuses."""
        task = self._desk.later.beside(work)
        await asyncio.wait({task}, timeout=within_s)
        if not task.done():
            return None
        try:
            return (task.result(),)
        except StoreUnavailable:
            return None

    async def on_disk(self, records: Iterable[Noted], entries: Iterable[AuditEntry] = ()) -> None:
        """Returns when it is on the disk of this node; the others were told. Raises `StoreUnavailable`."""
        for record in records:
            self._desk.note(record)
            await asyncio.sleep(0)
        for entry in entries:
            self._desk.store.journal.audit(entry)
        try:
            async with asyncio.timeout(DISK_WITHIN_S):
                await self._desk.store.journal.flush()
        except TimeoutError:
            raise StoreUnavailable("neither SQL nor the disk") from None
