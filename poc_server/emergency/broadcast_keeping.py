"""How a broadcast stands, and how far it came with whom, kept (`poc_server.emergency.keeping`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from groups.vocabulary import Refusal, UserId
from poc_server.emergency import live_broadcast
from poc_server.emergency.keeping import START_WITHIN_S, Keeping
from poc_server.emergency.live_broadcast import LiveBroadcast
from poc_server.emergency.sql_watch import SQL_WITHIN_S
from poc_server.ground.refused import Refused
from poc_server.store import emergency as kept
from poc_server.store.audit import AuditEntry
from poc_server.store.journal import BroadcastKept, ReceiptsKept

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk

END_WITHIN_S = 3.0
"""Nobody is in danger of an end that is told a little later: so long SQL may take for it before the disk stands in."""


class BroadcastKeeping:
    """Keeps broadcasts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keeping = Keeping(desk)

    async def first(self, live: LiveBroadcast) -> LiveBroadcast | None:
        """Keep a new one; returns the same one, kept by a desk that died before it could answer: nothing is kept then.

        Where neither SQL nor the disk takes it in time it begins all the same: either may still take it, so that it
        could not be refused for good. Raises `Refused`: conflict (it is another's, or final).
        """
        detail: dict[str, Any] = {"kind": live.kind, "tier": live.tier.name, "people": len(live.receipts)}
        entry = self._desk.entry(live.by, "broadcast.start", "broadcast", live.id, detail)

        async def in_sql() -> LiveBroadcast | None:
            async with self._desk.store.writing() as connection:
                before = await kept.find_broadcast(connection, live.id)
                if before is None:
                    await kept.begin_broadcast(connection, live.kept(), list(live.receipts), [entry])
                    return None
                if not before.open or before.user != live.by.id:
                    raise Refused(Refusal.CONFLICT, "broadcast")
                return live_broadcast.from_kept(before, live.by, await kept.receipts(connection, live.id))

        done = await self._keeping.in_sql(in_sql(), START_WITHIN_S)
        if done is None:
            records = BroadcastKept.of(live.kept(), list(live.receipts))
            live.kept_now = await self._keeping.now_or_later(records, [entry])
            return None
        live.saved = True
        return done[0]

    async def changed(self, live: LiveBroadcast, entries: Sequence[AuditEntry], missed: Collection[UserId]) -> None:
        """Keep how it stands now; ``missed``: whom it has not reached, where it is final.

        Raises `Refused`: unavailable (neither SQL nor the disk took it).
        """
        row, receipts = live.kept(), [live.receipts[user] for user in missed]

        async def in_sql() -> None:
            async with self._desk.store.writing() as connection:
                await _begun(connection, live)
                await kept.put_broadcast(connection, row, entries)
                await kept.put_receipts(connection, live.id, receipts)

        if await self._keeping.in_sql(in_sql(), SQL_WITHIN_S if row.open else END_WITHIN_S) is not None:
            live.saved = True
        elif row.open:
            await self._keeping.on_disk(BroadcastKept.of(row, ()), entries)
        else:
            await self._keeping.on_disk(live.over(list(missed)), entries)

    async def receipts(self, live: LiveBroadcast, users: Iterable[UserId]) -> None:
        """Keep how far it came with these. Raises `Refused`: unavailable (neither SQL nor the disk took it)."""
        receipts = [live.receipts[user] for user in users]

        async def in_sql() -> None:
            async with self._desk.store.writing() as connection:
                await _begun(connection, live)
                await kept.put_receipts(connection, live.id, receipts)

        if await self._keeping.in_sql(in_sql()) is not None:
            live.saved = True
        else:
            await self._keeping.on_disk(ReceiptsKept.of(live.id, receipts))


async def _begun(connection: Any, live: LiveBroadcast) -> None:
    """It may have been put on disk for want of SQL, and what belongs to it needs it there."""
    if not live.saved:
        await kept.begin_broadcast(connection, live.kept(), list(live.receipts), ())
