"""How a leader's call or broadcast stands, and how far it came, while SQL is away: he takes the air all the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.emergency.broadcast import PersonReceipt
from groups.vocabulary import AgencyId, GroupId, ReceiptState, Tier, UserId
from poc_server.store import emergency
from poc_server.store import tables as t
from poc_server.store.journal.base import Ms, Record, Text
from poc_server.store.sql.statements import in_parts

MAX_PEOPLE = 1_000
"""People, or receipts, in one record; who is beyond it stands in the next."""


class EmergencyCallKept(Record):
    """An emergency call as it was then, whole; what came before changes nothing of it (`emergency.put_call`)."""

    kind: Literal["emergency_call"] = "emergency_call"
    v: Literal[1] = 1
    id: Text
    agency: AgencyId
    user: UserId
    group: GroupId
    tier: Tier
    started_ms: Ms
    content: dict[str, Any]

    @classmethod
    def of(cls, row: emergency.Kept, group: GroupId) -> EmergencyCallKept:
        """The record that carries ``row``."""
        return cls(
            id=row.id,
            agency=row.agency,
            user=row.user,
            group=group,
            tier=row.tier,
            started_ms=row.at_ms,
            content=row.content,
        )

    def row(self) -> emergency.Kept:
        """The row it becomes."""
        return emergency.Kept(
            self.id, self.agency, self.user, True, self.started_ms, self.content, group=self.group, tier=self.tier
        )


class BroadcastKept(Record):
    """A broadcast that is not final as it was then. ``people``: some of those it is for, or none, if that is known."""

    kind: Literal["broadcast"] = "broadcast"
    v: Literal[1] = 1
    id: Text
    agency: AgencyId
    user: UserId
    state: Text
    started_ms: Ms
    content: dict[str, Any]
    people: Annotated[tuple[UserId, ...], Field(max_length=MAX_PEOPLE)] = ()

    @classmethod
    def of(cls, row: emergency.Kept, people: Sequence[UserId]) -> list[BroadcastKept]:
        """The records that carry ``row`` and whom it is for."""
        first = cls(
            id=row.id, agency=row.agency, user=row.user, state=row.state, started_ms=row.at_ms, content=row.content
        )
        parts = list(in_parts(people, MAX_PEOPLE)) or [[]]
        return [first.model_copy(update={"people": tuple(part)}) for part in parts]

    def row(self) -> emergency.Kept:
        """The row it becomes."""
        return emergency.Kept(self.id, self.agency, self.user, True, self.started_ms, self.content, self.state)


class ReceiptKept(BaseModel):
    """How far it came with one person."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    user: UserId
    state: ReceiptState | None = None
    sent_ms: Ms | None = None
    delivered_ms: Ms | None = None
    heard_ms: Ms | None = None
    acknowledged_ms: Ms | None = None

    def receipt(self) -> PersonReceipt:
        """As it is judged."""
        return PersonReceipt(
            self.user, self.state, self.sent_ms, self.delivered_ms, self.heard_ms, self.acknowledged_ms
        )


class ReceiptsKept(Record):
    """How far broadcast ``id`` came with some people; one that came further stays (`emergency.put_receipts`)."""

    kind: Literal["receipts"] = "receipts"
    v: Literal[1] = 1
    id: Text
    receipts: Annotated[tuple[ReceiptKept, ...], Field(max_length=MAX_PEOPLE)]

    @classmethod
    def of(cls, broadcast: str, receipts: Sequence[PersonReceipt]) -> list[ReceiptsKept]:
        """The records that carry these."""
        found = [
            ReceiptKept(
                user=each.user,
                state=each.state,
                sent_ms=each.sent_at,
                delivered_ms=each.delivered_at,
                heard_ms=each.heard_at,
                acknowledged_ms=each.acknowledged_at,
            )
            for each in receipts
        ]
        return [cls(id=broadcast, receipts=tuple(part)) for part in in_parts(found, MAX_PEOPLE)]


async def calls(connection: AsyncConnection, found: Sequence[EmergencyCallKept]) -> None:
    """Bring their rows up to this."""
    for each in found:
        await emergency.put_call(connection, each.row(), ())


async def broadcasts(connection: AsyncConnection, found: Sequence[BroadcastKept]) -> None:
    """Bring their rows up to this, with a receipt for each person."""
    for each in found:
        await emergency.begin_broadcast(connection, each.row(), each.people, ())


async def receipts(connection: AsyncConnection, found: Sequence[ReceiptsKept]) -> None:
    """Bring theirs up to this. A node that came later has not heard that it began: who led it has all on his disk."""
    query = select(t.broadcast.c.id).where(t.broadcast.c.id.in_({each.id for each in found}))
    there = set((await connection.execute(query)).scalars())
    for each in found:
        if each.id in there:
            await emergency.put_receipts(connection, each.id, [one.receipt() for one in each.receipts])
