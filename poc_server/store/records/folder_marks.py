"""What SQL knows of a folder whose files its rows name: the mark that stands in it."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store import tables as t
from poc_server.store.sql.statements import insert_new

OLDEST = 20
"""So many files say whether a folder is the one that holds them."""


async def mark_of(connection: AsyncConnection, folder: str) -> str | None:
    """Its mark; None while it has none."""
    found: str | None = await connection.scalar(select(t.folder_mark.c.mark).where(t.folder_mark.c.folder == folder))
    return found


async def keep(connection: AsyncConnection, folder: str, mark: str) -> str:
    """Keep its mark, unless another node was quicker; returns the one that is kept."""
    await insert_new(connection, t.folder_mark, [{"folder": folder, "mark": mark}])
    return await mark_of(connection, folder) or mark


async def oldest_files(connection: AsyncConnection) -> list[str]:
    """The files of the oldest recordings that are kept or, where there are none, photos."""
    b, m = t.burst.c, t.material.c
    for file, time in ((b.file, b.started_ms), (m.file, m.begun_ms)):
        query = select(file).where(file != "").order_by(time).limit(OLDEST)
        if files := list((await connection.scalars(query)).all()):
            return files
    return []
