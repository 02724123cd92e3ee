"""How an alert stands, kept (`poc_server.emergency.keeping`), and what the case of an incident learns of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from groups.model import User
from groups.vocabulary import Refusal
from poc_server.emergency.keeping import Keeping
from poc_server.emergency.live_alert import LiveAlert
from poc_server.ground.refused import Refused
from poc_server.store import audit
from poc_server.store import emergency as kept
from poc_server.store.audit import AuditEntry
from poc_server.store.emergency import Kept
from poc_server.store.journal import alerts
from poc_server.store.journal.alerts import AlertKept, CaseTold

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk


class Overtaken(Refused):
    """Another node kept something as new: this one slept, or has only just lost the desk. Nothing was kept."""

    def __init__(self) -> None:
        super().__init__(Refusal.UNAVAILABLE, "another node leads it")


class AlertKeeping:
    """Keeps alerts."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._keeping = Keeping(desk)

    async def first(self, live: LiveAlert) -> Kept | None:
        """Keep a new alert; returns what stands in SQL under its id already, and then keeps nothing.

        Raises `Refused`: unavailable (neither SQL nor the disk took it).
        """
        record, entry = AlertKept.of(live.kept(), self._case(live)), self.entry(live, "alert.raise", live.user)

        async def in_sql() -> Kept | None:
            async with self._desk.store.writing() as connection:
                before = await kept.find_alert(connection, record.id)
                if before is None:
                    await alerts.apply(connection, [record], self._desk.store.clock())
                    await audit.append(connection, [entry])
                return before

        done = await self._keeping.in_sql(in_sql())
        if done is None:
            await self._keeping.on_disk([record], [entry])
            live.noted = live.kept_now = True
            return None
        live.stands_in_sql()
        before: Kept | None = done[0]
        return before

    async def changed(self, live: LiveAlert, action: str, user: User | None, *, tell_case: bool) -> None:
        """Keep how it stands now.

        Where neither SQL nor the disk takes it in time it is done all the same: either may still take it, so that it
        could not be refused for good. Raises `Overtaken`.
        """
        record = AlertKept.of(live.kept(), self._case(live) if tell_case else None)
        entry = self.entry(live, action, user)

        async def in_sql() -> None:
            async with self._desk.store.writing() as connection:
                if not await alerts.apply(connection, [record], self._desk.store.clock()):
                    raise Overtaken
                await audit.append(connection, [entry])

        if await self._keeping.in_sql(in_sql()) is not None:
            live.stands_in_sql()
            return
        live.saved, live.kept_now = False, await self._keeping.now_or_later([record], [entry])
        live.noted = live.noted or live.kept_now

    async def newest(self, live: LiveAlert) -> Kept | None:
        """What stands in SQL. Raises `Refused`: unavailable."""
        async with self._desk.store.reading() as connection:
            return await kept.find_alert(connection, live.record.id)

    async def standing(self, live: LiveAlert) -> Kept | None:
        """Bring SQL up to ``live``, which was put on disk for want of it; returns what stands there and is not that.

        Raises `Refused`: unavailable.
        """
        row = live.kept()
        async with self._desk.store.writing() as connection:
            before = await kept.find_alert(connection, row.id)
            if before is None or before.version < row.version:
                await kept.put_alert(connection, row, ())
                return None
        return None if before.content == row.content else before

    def entry(self, live: LiveAlert, action: str, user: User | None) -> AuditEntry:
        """What was done about it, for the audit; ``user`` None: by the clock."""
        record = live.record
        detail = {"user": record.user, "group": record.group, "state": record.state, "escalated": record.escalated}
        return self._desk.entry(user, action, "alert", record.id, detail, live.user.agency)

    def _case(self, live: LiveAlert) -> CaseTold | None:
        """The case of an incident learns of an emergency in its group, and who took it; and whether it is covert."""
        record = live.record
        if live.origin is None:
            return None
        claimer = None if record.claimed_by is None else self._desk.field.roster.user(record.claimed_by)
        data: dict[str, Any] = {
            "alert": record.id,
            "state": record.state.value,
            "name": live.user.name,
            "claimed_by": None if claimer is None else {"id": claimer.id, "name": claimer.name},
            "place": None if live.place is None else live.place.model_dump(exclude_none=True),
            "covert": live.covert,
        }
        # Taken by another after it went back into the queue it is in the same state again.
        told = f"alert/{record.id}/{record.state.value}/{record.version}"
        return CaseTold(id=told, group=live.origin, at_ms=self._desk.field.fabric.now(), user=live.user.id, data=data)
