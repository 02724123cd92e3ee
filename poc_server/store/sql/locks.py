"""Rows that many transactions write, and the one order in which they are locked: directory, outbox, evidence, audit.

PostgreSQL ends one of two transactions that lock them crosswise, after a second in which neither did anything. What
writes only one of them, or comes by them in this order anyway, need not ask here.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store import tables as t
from poc_server.store.tables import bridge


async def directory(connection: AsyncConnection) -> None:
    """No other changes the directory until this transaction ends."""
    await connection.execute(select(t.directory_version.c.version).with_for_update())


async def outbox(connection: AsyncConnection) -> None:
    """No other adds events of incidents until this transaction ends."""
    await connection.execute(select(bridge.outbox_head.c.position).with_for_update())
