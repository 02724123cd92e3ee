"""Where the polling of each list endpoint stands."""

from __future__ import annotations

from collections.abc import Callable, Collection

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.polling import PollState
from poc_server.store.sql.statements import insert_new
from poc_server.store.tables import bridge as t


async def hold(
    connection: AsyncConnection, sender: str, holder: str, now: int, hold_ms: Callable[[PollState], int]
) -> PollState | None:
    """The state of one that is ``holder``'s to poll from now on; None while it is another's.

    ``hold_ms``: how long it is his, who may hold it again before that is over.
    """
    begin = {"sender_id": sender, "position": 0, "failures": 0, "last_error": "", "holder": "", "held_until_ms": 0}
    await insert_new(connection, t.poll, [begin])
    this = select(t.poll).where(t.poll.c.sender_id == sender)
    row = (await connection.execute(this.with_for_update())).one()
    if row.holder != holder and row.held_until_ms > now:
        return None
    state = PollState(row.position, row.failures, row.last_error)
    mine = {"holder": holder, "held_until_ms": now + hold_ms(state)}
    await connection.execute(update(t.poll).where(t.poll.c.sender_id == sender).values(mine))
    return state


async def release(connection: AsyncConnection, sender: str, holder: str) -> None:
    """It is not ``holder``'s any more."""
    this = (t.poll.c.sender_id == sender) & (t.poll.c.holder == holder)
    await connection.execute(update(t.poll).where(this).values(held_until_ms=0))


async def states(connection: AsyncConnection, senders: Collection[str]) -> dict[str, PollState]:
    """How far each of these was read; those that never were are left out."""
    rows = await connection.execute(select(t.poll).where(t.poll.c.sender_id.in_(sorted(senders))))
    return {row.sender_id: PollState(row.position, row.failures, row.last_error) for row in rows}


async def failing(connection: AsyncConnection, senders: Collection[str]) -> int:
    """How many of these endpoints could not be read the last time."""
    these = t.poll.c.sender_id.in_(sorted(senders)) & (t.poll.c.failures > 0)
    return int(await connection.scalar(select(func.count()).where(these)) or 0)


async def save(connection: AsyncConnection, sender: str, state: PollState) -> None:
    """Keeps the state of one that is held."""
    values = {"position": state.cursor, "failures": state.failures, "last_error": state.last_error}
    await connection.execute(update(t.poll).where(t.poll.c.sender_id == sender).values(values))
