"""One receiver's deliveries in SQL (`gateway.delivery.courier.OutboxStore`).

Deliveries are made from the events in the order of their positions; how far that has come is kept with the receiver,
in the transaction that makes them, so a receiver that is added later begins with what happens then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sqlalchemy import Row, case, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.delivery.outbox import Delivery, Status
from gateway.delivery.receiver import Health
from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from poc_server.store.bridge.incident_events import event_of
from poc_server.store.sql.engine import Database
from poc_server.store.sql.statements import insert_new
from poc_server.store.tables import bridge as t

FEED_AT_ONCE = 500
"""Events looked at in one transaction."""


class SqlOutbox:
    """The outbox as one receiver's courier sees it.

    Args:
        receiver: its id.
        agency: whose events it is told of.
        wants: whether it is told of events of a type.
        claim_ms: how long a courier may hold a delivery before another may try it.
    """

    def __init__(
        self, database: Database, receiver: str, agency: str, wants: Callable[[str], bool], claim_ms: int
    ) -> None:
        self._database, self._receiver, self._agency = database, receiver, agency
        self._wants, self._claim_ms = wants, claim_ms

    async def health(self) -> Health:
        """How the receiver has been doing."""
        async with self._database.reading() as connection:
            row = await self._row(connection)
        if row is None:
            return Health(self._receiver)
        return Health(row.id, row.failures, row.failing_since_ms, row.probe_ms, row.stopped)

    async def heads(self, now: int, limit: int) -> tuple[Delivery, ...]:
        """Of each incident the first delivery that waits, if it is due and no other courier holds it; claimed."""
        while await self._feed(now) == FEED_AT_ONCE:
            pass
        async with self._database.writing() as connection:
            rows = (await connection.execute(self._heads(now, limit))).all()
            for row in rows:
                claim = update(t.delivery).where(_same(row)).values(claimed_until_ms=now + self._claim_ms)
                await connection.execute(claim)
            return tuple([await delivery_of(connection, row) for row in rows])

    async def next_due(self) -> int | None:
        """When the next delivery is due or its claim runs out; a moment past when events wait to be fed."""
        async with self._database.reading() as connection:
            row = await self._row(connection)
            head = await connection.scalar(select(t.outbox_head.c.position))
            if row is None or row.position < (head or 0):
                return 0
            due, held = t.delivery.c.next_ms, t.delivery.c.claimed_until_ms
            soonest = case((due > held, due), else_=held)
            heads = self._first_waiting()
            query = select(func.min(soonest)).select_from(t.delivery.join(heads, _is_head(heads))).where(self._mine())
            found: int | None = await connection.scalar(query)
            return found

    async def settle(self, deliveries: Sequence[Delivery], health: Health) -> None:
        """Writes what attempts came to, gives the claims back, and notes how the receiver does.

        When it was down and answers again, all that waits for it is due.
        """
        async with self._database.writing() as connection:
            row = await self._row(connection)
            if row is not None and row.probe_ms is not None and health.probe_at is None and not health.stopped:
                await _due_at_once(connection, self._receiver)
            for each in deliveries:
                await write(connection, each)
            values = {
                "failures": health.failures,
                "failing_since_ms": health.failing_since,
                "probe_ms": health.probe_at,
                "stopped": health.stopped,
            }
            await connection.execute(update(t.receiver).where(t.receiver.c.id == self._receiver).values(values))

    async def _feed(self, now: int) -> int:
        """Makes deliveries of events not looked at yet; returns how many were looked at."""
        async with self._database.writing() as connection:
            row = await self._row(connection, lock=True)
            if row is None:
                return 0
            query = (
                select(t.incident_event)
                .where(t.incident_event.c.position > row.position)
                .order_by(t.incident_event.c.position)
                .limit(FEED_AT_ONCE)
            )
            events = (await connection.execute(query)).all()
            if not events:
                return 0
            rows = [
                self._new(each, now) for each in events if each.agency_id == self._agency and self._wants(each.type)
            ]
            if rows:
                await connection.execute(insert(t.delivery), rows)
            done = update(t.receiver).where(t.receiver.c.id == self._receiver).values(position=events[-1].position)
            await connection.execute(done)
            return len(events)

    async def _row(self, connection: AsyncConnection, *, lock: bool = False) -> Row[Any] | None:
        query = select(t.receiver).where(t.receiver.c.id == self._receiver)
        return (await connection.execute(query.with_for_update() if lock else query)).one_or_none()

    def _new(self, event: Row[Any], now: int) -> dict[str, Any]:
        return {
            "receiver_id": self._receiver,
            "agency_id": event.agency_id,
            "code": event.code,
            "sequence": event.sequence,
            "status": Status.WAITING.value,
            "created_ms": now,
            "next_ms": now,
            "claimed_until_ms": 0,
            "attempts": 0,
            "refusals": 0,
            "last_error": "",
        }

    def _mine(self) -> Any:
        return (t.delivery.c.receiver_id == self._receiver) & (t.delivery.c.status == Status.WAITING.value)

    def _first_waiting(self) -> Any:
        first = func.min(t.delivery.c.sequence).label("first")
        query = select(t.delivery.c.agency_id, t.delivery.c.code, first).where(self._mine())
        return query.group_by(t.delivery.c.agency_id, t.delivery.c.code).subquery("head")

    def _heads(self, now: int, limit: int) -> Any:
        heads = self._first_waiting()
        query = select(t.delivery).join(heads, _is_head(heads))
        query = query.where(self._mine(), t.delivery.c.next_ms <= now, t.delivery.c.claimed_until_ms <= now)
        query = query.order_by(t.delivery.c.next_ms, t.delivery.c.code).limit(limit)
        return query.with_for_update(of=t.delivery, skip_locked=True)


async def delivery_of(connection: AsyncConnection, row: Row[Any]) -> Delivery:
    """The delivery a row holds, with its event."""
    this = (
        (t.incident_event.c.agency_id == row.agency_id)
        & (t.incident_event.c.code == row.code)
        & (t.incident_event.c.sequence == row.sequence)
    )
    event = event_of((await connection.execute(select(t.incident_event).where(this))).one())
    status = Status(row.status)
    return Delivery(
        row.receiver_id, event, row.created_ms, row.next_ms, row.attempts, row.refusals, status, row.last_error
    )


async def write(connection: AsyncConnection, each: Delivery) -> None:
    """Writes a delivery as it stands now, held by nobody."""
    values = {
        "status": each.status.value,
        "created_ms": each.created,
        "next_ms": each.next_at,
        "claimed_until_ms": 0,
        "attempts": each.attempts,
        "refusals": each.refusals,
        "last_error": each.last_error,
    }
    event = each.event
    this = (
        (t.delivery.c.receiver_id == each.receiver)
        & (t.delivery.c.agency_id == event.agency)
        & (t.delivery.c.code == event.incident)
        & (t.delivery.c.sequence == event.sequence)
    )
    await connection.execute(update(t.delivery).where(this).values(values))


async def enter(connection: AsyncConnection, receivers: Collection[str]) -> None:
    """Receivers not known yet begin with what happens from now on; those that are known go on where they were.

    One that did not answer is tried at once: a server is started again when its address or key was put right.
    """
    known = set((await connection.execute(select(t.receiver.c.id))).scalars())
    position = await head(connection)
    rows = [{"id": each, "position": position, "failures": 0, "stopped": False} for each in receivers]
    if new := [row for row in rows if row["id"] not in known]:
        # Another node may enter the same ones meanwhile.
        await insert_new(connection, t.receiver, new)
    for each in sorted(known.intersection(receivers)):
        r = t.receiver.c
        await connection.execute(update(t.receiver).where(r.id == each, r.probe_ms.is_not(None)).values(probe_ms=0))
        await _due_at_once(connection, each)


async def head(connection: AsyncConnection) -> int:
    """The position of the newest event of all."""
    return int(await connection.scalar(select(t.outbox_head.c.position)) or 0)


async def dead_letters(connection: AsyncConnection, receiver: str, limit: int, after: str = "") -> list[Delivery]:
    """What a receiver never took, the oldest first.

    ``after``: the event of the last one before. Refuses one that was never for this receiver (not_found).
    """
    order = (t.delivery.c.created_ms, t.delivery.c.code, t.delivery.c.sequence)
    query = (
        select(t.delivery)
        .where(t.delivery.c.receiver_id == receiver, t.delivery.c.status == Status.DEAD.value)
        .order_by(*order)
        .limit(limit)
    )
    if after:
        events = t.incident_event.c
        same = (events.agency_id == t.delivery.c.agency_id) & (events.code == t.delivery.c.code)
        delivered = t.delivery.join(t.incident_event, same & (events.sequence == t.delivery.c.sequence))
        last = select(*order).select_from(delivered).where(t.delivery.c.receiver_id == receiver, events.id == after)
        found = (await connection.execute(last)).one_or_none()
        if found is None:
            raise Refused(Refusal.NOT_FOUND, "dead letter")
        query = query.where(tuple_(*order) > tuple(found))
    return [await delivery_of(connection, row) for row in (await connection.execute(query)).all()]


async def counts(connection: AsyncConnection) -> dict[tuple[str, str], int]:
    """How many deliveries of each (receiver, status) there are."""
    number = func.count().label("number")
    query = select(t.delivery.c.receiver_id, t.delivery.c.status, number)
    rows = (await connection.execute(query.group_by(t.delivery.c.receiver_id, t.delivery.c.status))).all()
    return {(row.receiver_id, row.status): row.number for row in rows}


async def failing(connection: AsyncConnection, receivers: Collection[str]) -> int:
    """How many of these receivers do not answer as they should, or said that they are gone."""
    these = t.receiver.c.id.in_(sorted(receivers)) & (t.receiver.c.stopped | t.receiver.c.failing_since_ms.is_not(None))
    return int(await connection.scalar(select(func.count()).where(these)) or 0)


async def start_again(connection: AsyncConnection, receiver: str) -> None:
    """A stopped receiver was put right: what waits goes out again, at once."""
    values = {"failures": 0, "failing_since_ms": None, "probe_ms": None, "stopped": False}
    await connection.execute(update(t.receiver).where(t.receiver.c.id == receiver).values(values))
    await _due_at_once(connection, receiver)


async def _due_at_once(connection: AsyncConnection, receiver: str) -> None:
    """Ends the pauses of what was tried while the receiver did not answer; they may be an hour long."""
    waiting = (t.delivery.c.receiver_id == receiver) & (t.delivery.c.status == Status.WAITING.value)
    await connection.execute(update(t.delivery).where(waiting, t.delivery.c.attempts > 0).values(next_ms=0))


async def prune(connection: AsyncConnection, before_ms: int) -> int:
    """Forgets deliveries that were made before then; the events stay."""
    old = (t.delivery.c.status == Status.DELIVERED.value) & (t.delivery.c.created_ms < before_ms)
    return (await connection.execute(delete(t.delivery).where(old))).rowcount


def _same(row: Row[Any]) -> Any:
    return (
        (t.delivery.c.receiver_id == row.receiver_id)
        & (t.delivery.c.agency_id == row.agency_id)
        & (t.delivery.c.code == row.code)
        & (t.delivery.c.sequence == row.sequence)
    )


def _is_head(heads: Any) -> Any:
    return (
        (t.delivery.c.agency_id == heads.c.agency_id)
        & (t.delivery.c.code == heads.c.code)
        & (t.delivery.c.sequence == heads.c.first)
    )
