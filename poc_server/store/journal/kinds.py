"""The records that go through the journal, each with the version of its form, and how each becomes SQL rows.

A record is applied by its id, once: applying it again changes nothing. A form that changes gets a new ``v`` and the
old one stays readable, for a journal may be older than the program that replays it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, TypeAdapter
from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, CallId, GroupId, GroupKind, Tier, UserId
from poc_server.store import audit
from poc_server.store import tables as t
from poc_server.store.audit import AuditEntry
from poc_server.store.change import note_alone
from poc_server.store.ids import clean
from poc_server.store.journal import alerts, bursts, ends, joins, leaders, readings, shut_out
from poc_server.store.journal.alerts import AlertKept
from poc_server.store.journal.base import Ms, Record, Text
from poc_server.store.journal.bursts import BurstRecord
from poc_server.store.journal.ends import BroadcastOver, EmergencyCallOver
from poc_server.store.journal.joins import IncidentJoined
from poc_server.store.journal.leaders import BroadcastKept, EmergencyCallKept, ReceiptsKept
from poc_server.store.journal.readings import TextsRead
from poc_server.store.journal.shut_out import ShutOut
from poc_server.store.sql.statements import insert_new


class CallStarted(Record):
    """A call began."""

    kind: Literal["call_started"] = "call_started"
    v: Literal[1] = 1
    id: CallId
    group: GroupId
    agency: AgencyId
    call_kind: GroupKind
    node: Text
    at_ms: Ms
    initiator: UserId | None = None
    tier: Tier = Tier.NORMAL
    incident: Text | None = None


class CallEnded(Record):
    """A call ended; its beginning was recorded before."""

    kind: Literal["call_ended"] = "call_ended"
    v: Literal[1] = 1
    id: CallId
    at_ms: Ms
    reason: Annotated[str, Field(max_length=32), AfterValidator(clean)]


class AuditRecord(Record):
    """Something done that is audited but must not wait for SQL: a sign-in, a monitor begun, a refusal."""

    kind: Literal["audit"] = "audit"
    v: Literal[1] = 1
    id: Text
    at_ms: Ms
    agency: AgencyId | None = None
    actor: UserId | None = None
    action: Annotated[str, Field(max_length=32)]
    target_kind: Annotated[str, Field(max_length=32)]
    target: Text
    detail: Annotated[str, Field(max_length=audit.MAX_DETAIL_CHARS), AfterValidator(clean)] = "{}"
    address: Annotated[str, Field(max_length=64), AfterValidator(clean)] = ""

    @classmethod
    def of(cls, entry: AuditEntry) -> AuditRecord:
        """The record that carries ``entry``."""
        return cls(
            id=entry.id,
            at_ms=entry.at_ms,
            agency=entry.agency,
            actor=entry.actor,
            action=entry.action,
            target_kind=entry.target_kind,
            target=entry.target,
            detail=entry.detail,
            address=entry.address,
        )


class PlaceRecord(Record):
    """Where a user was; ``content`` is the rest of a `poc_server.store.places.Place`."""

    kind: Literal["place"] = "place"
    v: Literal[1] = 1
    user: UserId
    agency: AgencyId
    at_ms: Ms
    received_ms: Ms
    content: dict[str, Any]


class SessionEnded(Record):
    """A session ended while SQL was away; this node denies it already, the others learn it by this."""

    kind: Literal["session_ended"] = "session_ended"
    v: Literal[1] = 1
    id: Text
    at_ms: Ms
    reason: Annotated[str, Field(max_length=32), AfterValidator(clean)]


AnyRecord = Annotated[
    BurstRecord
    | CallStarted
    | CallEnded
    | AuditRecord
    | PlaceRecord
    | SessionEnded
    | ShutOut
    | AlertKept
    | EmergencyCallKept
    | EmergencyCallOver
    | BroadcastKept
    | ReceiptsKept
    | BroadcastOver
    | IncidentJoined
    | TextsRead,
    Field(discriminator="kind"),
]
records: TypeAdapter[Any] = TypeAdapter(AnyRecord)
Applier = Callable[[AsyncConnection, Sequence[Any]], Awaitable[object]]


async def _calls_started(connection: AsyncConnection, found: Sequence[CallStarted]) -> None:
    await insert_new(
        connection,
        t.call,
        [
            {
                "id": each.id,
                "agency_id": each.agency,
                "group_id": each.group,
                "kind": each.call_kind.value,
                "initiator_id": each.initiator,
                "tier": int(each.tier),
                "incident": each.incident,
                "node": each.node,
                "started_ms": each.at_ms,
            }
            for each in found
        ],
    )


async def _calls_ended(connection: AsyncConnection, found: Sequence[CallEnded]) -> None:
    which = (t.call.c.id == bindparam("call")) & t.call.c.ended_ms.is_(None)
    statement = update(t.call).where(which).values(ended_ms=bindparam("at"), end_reason=bindparam("reason"))
    rows = [{"call": each.id, "at": each.at_ms, "reason": each.reason} for each in found]
    await connection.execute(statement, rows)


async def _audit(connection: AsyncConnection, found: Sequence[AuditRecord]) -> None:
    await audit.append(
        connection,
        [
            AuditEntry(
                each.id,
                each.at_ms,
                each.agency,
                each.actor,
                each.action,
                each.target_kind,
                each.target,
                each.detail,
                each.address,
            )
            for each in found
        ],
    )


async def _places(connection: AsyncConnection, found: Sequence[PlaceRecord]) -> None:
    rows = [
        {
            "user_id": each.user,
            "at_ms": each.at_ms,
            "agency_id": each.agency,
            "received_ms": each.received_ms,
            "content": each.content,
        }
        for each in found
    ]
    await insert_new(connection, t.place, rows)


async def _sessions_ended(connection: AsyncConnection, found: Sequence[SessionEnded]) -> None:
    for each in found:
        live = (t.session.c.id == each.id) & t.session.c.ended_ms.is_(None)
        values = {"ended_ms": each.at_ms, "end_reason": each.reason}
        done = await connection.execute(update(t.session).where(live).values(values))
        if done.rowcount:
            await note_alone(connection, "session", each.id)


def appliers(clock: Callable[[], int]) -> dict[str, Applier]:
    """How each kind becomes rows; ``clock`` (ms since the epoch) says when a burst was kept or a case told."""
    return {
        "burst": lambda connection, found: bursts.apply(connection, found, clock()),
        "call_started": _calls_started,
        "call_ended": _calls_ended,
        "audit": _audit,
        "place": _places,
        "session_ended": _sessions_ended,
        "shut_out": shut_out.apply,
        "alert": lambda connection, found: alerts.apply(connection, found, clock()),
        "emergency_call": leaders.calls,
        "emergency_call_over": ends.calls_over,
        "broadcast": leaders.broadcasts,
        "receipts": leaders.receipts,
        "broadcast_over": ends.broadcasts_over,
        "incident_joined": lambda connection, found: joins.apply(connection, found, clock()),
        "texts_read": readings.apply,
    }
