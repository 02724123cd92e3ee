"""Statements about many rows at once, as both databases understand them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Row, Select, Table, bindparam, not_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

IN_LIMIT = 300
"""Values that one statement names."""
FETCH = 500
"""Rows of a long answer that are read at once."""
SLICE = 100
"""Rows of it that are worked on before the loop may do something else: 2 ms."""
T = TypeVar("T")


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
    written = statement.on_conflict_do_update(index_elements=list(keys), set_=new, where=where)
    return (await connection.execute(written, rows[0] if len(rows) == 1 else list(rows))).rowcount != 0


async def update_each(connection: AsyncConnection, table: Table, rows: Mapping[Any, Mapping[str, Any]]) -> None:
    """Set columns of these rows by their ids, each to its own values. One statement: all name the same columns."""
    if not rows:
        return
    columns = next(iter(rows.values()))
    statement = update(table).where(table.c.id == bindparam("this")).values({name: bindparam(name) for name in columns})
    await connection.execute(statement, [{**values, "this": key} for key, values in rows.items()])


async def each_row(connection: AsyncConnection, query: Select[Any]) -> AsyncIterator[Row[Any]]:
    """The rows of an answer that may be a whole city, without holding the loop."""
    async with connection.stream(query) as result:
        async for part in result.partitions(FETCH):
            for number, row in enumerate(part, 1):
                yield row
                if number % SLICE == 0:
                    await asyncio.sleep(0)


def in_parts(values: Iterable[T], size: int = IN_LIMIT) -> Iterator[list[T]]:
    """``values`` in their order, so many at a time."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
