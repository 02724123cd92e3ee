"""Inserts that both databases understand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Table, not_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


async def insert_new(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, passing over those whose key is there already."""
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    await connection.execute(make(table).on_conflict_do_nothing(), list(rows))


async def upsert(
    connection: AsyncConnection,
    table: Table,
    keys: Sequence[str],
    rows: Sequence[dict[str, Any]],
    change: Sequence[str],
    unless: Callable[[Any], ColumnElement[bool]] | None = None,
) -> bool:
    """Insert rows; where one with the same ``keys`` is there, set its columns ``change`` to the new values.

    ``unless``: of the new values, says which rows stay as they are. Returns, of a single row, whether it was written.
    """
    make = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = make(table)
    new = {name: statement.excluded[name] for name in change}
    where = None if unless is None else not_(unless(statement.excluded))
    update = statement.on_conflict_do_update(index_elements=list(keys), set_=new, where=where)
    return (await connection.execute(update, rows[0] if len(rows) == 1 else list(rows))).rowcount != 0
