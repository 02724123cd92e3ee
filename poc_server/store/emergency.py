"""Alerts, emergency calls, broadcasts and receipts in SQL: written before they are announced, read again at the start.

Each is kept with its audit in one transaction. ``content`` is the plain form of what the service holds in memory.
What is over stays over: a node that slept, or was the desk until now, may keep late what it knew last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, case, func, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.emergency.broadcast import BroadcastState, PersonReceipt
from groups.vocabulary import AgencyId, GroupId, ReceiptState, Tier, UserId
from poc_server.store import audit
from poc_server.store import tables as t
from poc_server.store.audit import AuditEntry
from poc_server.store.sql.statements import in_parts, insert_new, upsert

RECEIPTS_AT_ONCE = 500
_FAR = {ReceiptState.SENT: 1, ReceiptState.MISSED: 2, ReceiptState.DELIVERED: 3}
_FAR |= {ReceiptState.HEARD: 4, ReceiptState.ACKNOWLEDGED: 5}
"""Who was given up by one node may have been reached by another."""


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of ``alert``, ``emergency_call`` or ``broadcast``. ``at_ms``: raised or started."""

    id: str
    agency: AgencyId
    user: UserId
    open: bool
    at_ms: int
    content: dict[str, Any]
    state: str = ""
    group: GroupId | None = None
    tier: Tier = Tier.NORMAL

    @property
    def version(self) -> int:
        """Of an alert: how often it has changed."""
        return int(self.content.get("record", {}).get("version", 0))


async def put_alert(connection: AsyncConnection, kept: Kept, entries: Sequence[AuditEntry]) -> bool:
    """Keep an alert as it is now, unless what stands there is as new: from the disk of before, or of another node.

    Returns whether it was kept.
    """
    row = {**_common(kept), "state": kept.state, "raised_ms": kept.at_ms}

    def goes_back(new: Any) -> ColumnElement[bool]:
        before, after = (_version(content, "record", "version") for content in (t.alert.c.content, new.content))
        return or_(_reopens(t.alert)(new), before >= after)

    if not await upsert(connection, t.alert, ["id"], [row], ["state", "open", "content"], goes_back):
        return False
    await audit.append(connection, entries)
    return True


async def put_call(connection: AsyncConnection, kept: Kept, entries: Sequence[AuditEntry]) -> None:
    """Keep an emergency call as it is now, unless a newer one stands there, or another's of the same name."""
    row = {**_common(kept), "group_id": kept.group, "tier": int(kept.tier), "started_ms": kept.at_ms}
    stays = _stays(t.emergency_call)
    await upsert(connection, t.emergency_call, ["id"], [row], ["tier", "open", "content"], stays)
    await audit.append(connection, entries)


async def put_broadcast(connection: AsyncConnection, kept: Kept, entries: Sequence[AuditEntry]) -> None:
    """Keep a broadcast as it is now, unless a newer one stands there. One that is over is not spoken into again."""
    row = {**_common(kept), "state": kept.state, "started_ms": kept.at_ms}

    def goes_back(new: Any) -> ColumnElement[bool]:
        running = BroadcastState.RUNNING.value
        return or_(_stays(t.broadcast)(new), and_(t.broadcast.c.state != running, new.state == running))

    await upsert(connection, t.broadcast, ["id"], [row], ["state", "open", "content"], goes_back)
    await audit.append(connection, entries)


async def begin_broadcast(
    connection: AsyncConnection, kept: Kept, users: Sequence[UserId], entries: Sequence[AuditEntry]
) -> None:
    """Keep a broadcast with a receipt for each person it is for."""
    await put_broadcast(connection, kept, entries)
    await begin_receipts(connection, kept.id, users)


async def put_receipts(connection: AsyncConnection, broadcast: str, receipts: Iterable[PersonReceipt]) -> None:
    """Keep how far a broadcast came with these people."""
    rows = [
        {
            "broadcast_id": broadcast,
            "user_id": each.user,
            "state": each.state,
            "sent_ms": each.sent_at,
            "delivered_ms": each.delivered_at,
            "heard_ms": each.heard_at,
            "acknowledged_ms": each.acknowledged_at,
        }
        for each in sorted(receipts, key=lambda each: each.user)  # in one order, whoever writes them
    ]
    columns = ["state", "sent_ms", "delivered_ms", "heard_ms", "acknowledged_ms"]
    for part in in_parts(rows, RECEIPTS_AT_ONCE):
        await upsert(connection, t.receipt, ["broadcast_id", "user_id"], part, columns, _less_far)


async def miss(connection: AsyncConnection, broadcast: str, users: Sequence[UserId]) -> None:
    """A broadcast is over, and one node has not reached these: who was reached by another stays so."""
    r = t.receipt.c
    theirs = (r.broadcast_id == broadcast) & r.user_id.in_(users) & (_far(r.state) < _FAR[ReceiptState.MISSED])
    await connection.execute(update(t.receipt).where(theirs).values(state=ReceiptState.MISSED))


async def begin_receipts(connection: AsyncConnection, broadcast: str, users: Sequence[UserId]) -> None:
    """One row for each person a broadcast is for."""
    rows = [{"broadcast_id": broadcast, "user_id": user} for user in sorted(users)]
    for part in in_parts(rows, RECEIPTS_AT_ONCE):
        await insert_new(connection, t.receipt, part)


async def receipts(connection: AsyncConnection, broadcast: str) -> list[PersonReceipt]:
    """How far a broadcast came with each person."""
    query = select(t.receipt).where(t.receipt.c.broadcast_id == broadcast).order_by(t.receipt.c.user_id)
    return [
        PersonReceipt(
            UserId(row.user_id),
            None if row.state is None else ReceiptState(row.state),
            row.sent_ms,
            row.delivered_ms,
            row.heard_ms,
            row.acknowledged_ms,
        )
        for row in (await connection.execute(query)).all()
    ]


async def open_alerts(connection: AsyncConnection) -> list[Kept]:
    """Alerts somebody still has to do something about, in the order they were raised."""
    return [_kept(row, row.raised_ms) for row in await _open(connection, t.alert, "raised_ms")]


async def open_calls(connection: AsyncConnection) -> list[Kept]:
    """Emergency calls going on."""
    return [_kept(row, row.started_ms) for row in await _open(connection, t.emergency_call, "started_ms")]


async def open_broadcasts(connection: AsyncConnection) -> list[Kept]:
    """Broadcasts that some may still have to get, in order."""
    return [_kept(row, row.started_ms) for row in await _open(connection, t.broadcast, "started_ms")]


async def find_alert(connection: AsyncConnection, alert: str) -> Kept | None:
    """The alert with that id."""
    row = (await connection.execute(select(t.alert).where(t.alert.c.id == alert))).one_or_none()
    return None if row is None else _kept(row, row.raised_ms)


async def find_call(connection: AsyncConnection, call: str) -> Kept | None:
    """The emergency call with that id."""
    row = (await connection.execute(select(t.emergency_call).where(t.emergency_call.c.id == call))).one_or_none()
    return None if row is None else _kept(row, row.started_ms)


async def find_broadcast(connection: AsyncConnection, broadcast: str) -> Kept | None:
    """The broadcast with that id."""
    row = (await connection.execute(select(t.broadcast).where(t.broadcast.c.id == broadcast))).one_or_none()
    return None if row is None else _kept(row, row.started_ms)


async def alerts_page(connection: AsyncConnection, agency: AgencyId, before_ms: int, limit: int) -> list[Kept]:
    """Alerts of an agency raised before then, the newest first."""
    query = (
        select(t.alert)
        .where(t.alert.c.agency_id == agency, t.alert.c.raised_ms < before_ms)
        .order_by(t.alert.c.raised_ms.desc())
        .limit(limit)
    )
    return [_kept(row, row.raised_ms) for row in (await connection.execute(query)).all()]


async def broadcasts_page(connection: AsyncConnection, agency: AgencyId, before_ms: int, limit: int) -> list[Kept]:
    """Broadcasts of an agency started before then, the newest first."""
    query = (
        select(t.broadcast)
        .where(t.broadcast.c.agency_id == agency, t.broadcast.c.started_ms < before_ms)
        .order_by(t.broadcast.c.started_ms.desc())
        .limit(limit)
    )
    return [_kept(row, row.started_ms) for row in (await connection.execute(query)).all()]


async def close_call(connection: AsyncConnection, call: str) -> None:
    """An emergency call is over."""
    await connection.execute(update(t.emergency_call).where(t.emergency_call.c.id == call).values(open=False))


async def _open(connection: AsyncConnection, table: Table, order: str) -> Sequence[Row[Any]]:
    query = select(table).where(table.c.open.is_(True)).order_by(table.c[order], table.c.id)
    return (await connection.execute(query)).all()


def _reopens(table: Table) -> Callable[[Any], ColumnElement[bool]]:
    return lambda new: and_(not_(table.c.open), new.open)


def _stays(table: Table) -> Callable[[Any], ColumnElement[bool]]:
    """What comes late changes nothing: it is over, newer, or somebody else's whose device made up the same name."""

    def stays(new: Any) -> ColumnElement[bool]:
        older = _version(new.content, "version") < _version(table.c.content, "version")
        return or_(_reopens(table)(new), table.c.user_id != new.user_id, older)

    return stays


def _version(content: Any, *path: str) -> ColumnElement[int]:
    found: ColumnElement[int] = func.coalesce(content[path].as_integer(), 0)
    return found


def _less_far(new: Any) -> ColumnElement[bool]:
    """A receipt only moves forward; the same again may still say more of when."""
    return _far(new.state) < _far(t.receipt.c.state)


def _far(state: Any) -> ColumnElement[int]:
    return case({each.value: far for each, far in _FAR.items()}, value=state, else_=0)


def _common(kept: Kept) -> dict[str, Any]:
    return {
        "id": kept.id,
        "agency_id": kept.agency,
        "user_id": kept.user,
        "open": kept.open,
        "content": kept.content,
    }


def _kept(row: Row[Any], at_ms: int) -> Kept:
    return Kept(
        row.id,
        AgencyId(row.agency_id),
        UserId(row.user_id),
        row.open,
        at_ms,
        row.content,
        getattr(row, "state", ""),
        GroupId(row.group_id) if hasattr(row, "group_id") else None,
        Tier(getattr(row, "tier", 0)),
    )
