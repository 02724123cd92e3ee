"""Where the polling of each list endpoint stands."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.polling import PollState
from poc_server.store.tables import bridge as t


async def load(connection: AsyncConnection, sender: str) -> PollState:
    """The state of one; the beginning when it was never polled."""
    row = (await connection.execute(select(t.poll).where(t.poll.c.sender_id == sender))).one_or_none()
    return PollState() if row is None else PollState(row.position, row.failures, row.last_error)


async def save(connection: AsyncConnection, sender: str, state: PollState) -> None:
    """Keeps the state of one."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    values = {"position": state.cursor, "failures": state.failures, "last_error": state.last_error}
    statement = make(t.poll).values(sender_id=sender, **values)
    await connection.execute(statement.on_conflict_do_update(index_elements=["sender_id"], set_=values))
