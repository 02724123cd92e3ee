"""That an emergency call or a broadcast is over: it must outlive the process though SQL is away when it ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Field
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import UserId
from poc_server.store import emergency
from poc_server.store import tables as t
from poc_server.store.journal.base import Record, Text

MAX_MISSED = 1_000
"""People in one record; who is beyond it stands in the next."""


class EmergencyCallOver(Record):
    """An emergency call is over; that it began stands in SQL."""

    kind: Literal["emergency_call_over"] = "emergency_call_over"
    v: Literal[1] = 1
    id: Text


class BroadcastOver(Record):
    """A broadcast is final; that it began stands in SQL. ``missed``: whom it did not reach, or some of them."""

    kind: Literal["broadcast_over"] = "broadcast_over"
    v: Literal[1] = 1
    id: Text
    state: Text
    content: dict[str, Any]
    missed: Annotated[tuple[UserId, ...], Field(max_length=MAX_MISSED)] = ()


async def calls_over(connection: AsyncConnection, found: Sequence[EmergencyCallOver]) -> None:
    """Close their rows."""
    for each in found:
        await emergency.close_call(connection, each.id)


async def broadcasts_over(connection: AsyncConnection, found: Sequence[BroadcastOver]) -> None:
    """Close their rows, and tell whom they missed."""
    for each in found:
        final = {"open": False, "state": each.state, "content": each.content}
        await connection.execute(update(t.broadcast).where(t.broadcast.c.id == each.id).values(final))
        await emergency.miss(connection, each.id, each.missed)
