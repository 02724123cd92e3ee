"""How far a user has read: kept though SQL is away, so that what he has seen does not wait for him again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import UserId
from poc_server.store import texts
from poc_server.store.journal.base import Record


class TextsRead(Record):
    """A user has read a thread up to ``number``."""

    kind: Literal["texts_read"] = "texts_read"
    v: Literal[1] = 1
    user: UserId
    thread: Annotated[str, Field(max_length=140)]
    number: Annotated[int, Field(ge=0, le=2**53)]


async def apply(connection: AsyncConnection, found: Sequence[TextsRead]) -> None:
    """It never goes back, whatever was read since on another device."""
    for each in found:
        await texts.read(connection, each.user, each.thread, each.number)
