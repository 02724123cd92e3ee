"""Backup of all tables into one file, and back: from and to either database, while the server runs.

The file is gzipped JSON lines: a head with the revision of the tables, one line per row, and an end with the counts,
so that a file cut short is known. Recordings are files of the data folder and are copied beside it.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store import tables as t
from poc_server.store.sql.engine import Database
from poc_server.store.sql.migrate import current, migrate

FORMAT = 1
SLICE = 500
_SEEDED = ("directory_version", "audit_chain", "outbox_head")
"""Tables in which a migration has put the first row."""


class BadBackup(ValueError):
    """The file is no whole backup, or the database is not empty."""


async def backup(database: Database, file: Path) -> dict[str, int]:
    """Write a backup, consistent to one moment; returns rows per table. Raises `StoreUnavailable`, OSError."""
    revision = await current(database)
    if revision is None:
        raise BadBackup("the database has no tables")
    draft = file.with_name(file.name + ".new")
    with gzip.GzipFile(draft, "wb", compresslevel=6) as out:
        os.chmod(draft, 0o600)  # it holds password hashes
        counts = await _write(database, out, revision)
    os.replace(draft, file)
    return counts


async def restore(database: Database, file: Path) -> dict[str, int]:
    """Fill an empty database from a backup and bring it to the newest tables.

    Raises `BadBackup` (and changes nothing) when the file is not whole or the database holds data.
    """
    head, expected = await asyncio.to_thread(_check, file)
    await migrate(database, head["revision"])
    async with database.writing() as connection:
        if await connection.scalar(select(func.count()).select_from(t.agency)):
            raise BadBackup("the database is not empty")
        there = await connection.run_sync(_reflected)
        for name in there.keys() & set(_SEEDED):
            await connection.execute(delete(there[name]))
        parents: list[dict[str, Any]] = []
        for name, rows in _batches(file):
            if name == "unit":
                parents += [{"this": row["id"], "above": row["parent_id"]} for row in rows if row["parent_id"]]
                rows = [{**row, "parent_id": None} for row in rows]
            await connection.execute(insert(there[name]), rows)
        for row in parents:
            unit = there["unit"]
            await connection.execute(update(unit).where(unit.c.id == row["this"]).values(parent_id=row["above"]))
    await migrate(database)
    return expected


async def _write(database: Database, out: gzip.GzipFile, revision: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    async with database.snapshot() as connection:
        out.write(_line({"format": FORMAT, "revision": revision}))
        for table in t.metadata.sorted_tables:
            counts[table.name] = 0
            async for part in _parts(connection, table):
                counts[table.name] += len(part)
                await asyncio.to_thread(out.write, b"".join(part))
        out.write(_line({"end": counts}))
    return counts


async def _parts(connection: AsyncConnection, table: Table) -> AsyncIterator[list[bytes]]:
    async with connection.stream(select(table)) as result:
        async for rows in result.partitions(SLICE):
            yield [_line([table.name, dict(row._mapping)]) for row in rows]  # noqa: SLF001 - its public name


def _line(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, default=_plain).encode() + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return {"base64": base64.b64encode(value).decode()}
    raise TypeError(type(value).__name__)


def _value(stored: Any) -> Any:
    if isinstance(stored, dict) and stored.keys() == {"base64"}:
        return base64.b64decode(stored["base64"])
    return stored


def _lines(file: Path) -> Iterator[Any]:
    try:
        with gzip.open(file, "rb") as lines:
            for line in lines:
                yield json.loads(line)
    except (OSError, EOFError, ValueError) as problem:
        raise BadBackup(f"{file}: {problem}") from problem


def _check(file: Path) -> tuple[dict[str, Any], dict[str, int]]:
    lines = _lines(file)
    head = next(lines, None)
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        raise BadBackup(f"{file} is no backup of this program")
    counts: dict[str, int] = {}
    for line in lines:
        if isinstance(line, dict):
            if line.get("end") != {**dict.fromkeys(line["end"], 0), **counts}:
                raise BadBackup(f"{file}: rows are missing")
            return head, line["end"]
        counts[line[0]] = counts.get(line[0], 0) + 1
    raise BadBackup(f"{file} is cut short")


def _batches(file: Path) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Rows of one table at a time, in the order of the file: owners before what they own."""
    name = ""
    rows: list[dict[str, Any]] = []
    for line in _lines(file):
        if isinstance(line, dict):
            continue
        if rows and (line[0] != name or len(rows) >= SLICE):
            yield name, rows
            rows = []
        name = line[0]
        rows.append({key: _value(value) for key, value in line[1].items()})
    if rows:
        yield name, rows


def _reflected(connection: Connection) -> dict[str, Table]:
    """The tables as they are at the backup's revision, with the types this program gives the columns it knows."""
    found = MetaData()
    found.reflect(connection)
    for name, table in found.tables.items():
        known = t.metadata.tables.get(name)
        for column in table.columns:
            if known is not None and column.name in known.columns:
                column.type = known.columns[column.name].type
    return dict(found.tables)
