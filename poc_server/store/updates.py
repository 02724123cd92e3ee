"""Updates of many rows at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Table, bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection


async def update_each(connection: AsyncConnection, table: Table, rows: Mapping[Any, Mapping[str, Any]]) -> None:
    """Set columns of these rows by their ids, each to its own values. One statement: all name the same columns."""
    if not rows:
        return
    columns = next(iter(rows.values()))
    statement = update(table).where(table.c.id == bindparam("this")).values({name: bindparam(name) for name in columns})
    await connection.execute(statement, [{**values, "this": key} for key, values in rows.items()])
