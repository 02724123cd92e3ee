"""Exports in SQL: what was ordered, which node makes it, what became of it. Any node answers for any of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.ids import clean

ALIVE_WITHIN_MS = 60_000
"""A node says so often at least that it makes an export still; one of which nothing is heard is lost."""
LOST = "the node that made it ended"
DETAIL_CHARS = 200


class ExportState(StrEnum):
    """How far an export is."""

    MAKING = "making"
    READY = "ready"
    TOO_LARGE = "too_large"
    DISK = "disk"
    """The disk did not take it: full, read-only or gone. Nothing of it is left there."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Export:
    """One export. ``asked_ms``: since the epoch; ``size``: bytes of its file; ``detail``: why it failed."""

    id: str
    agency: AgencyId
    user: UserId
    node: str
    title: str
    asked_ms: int
    state: ExportState = ExportState.MAKING
    recordings: int = 0
    size: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an export: so many recordings in a file of ``size`` bytes, or why there is none."""

    state: ExportState
    recordings: int = 0
    size: int = 0
    detail: str = ""


async def begin(connection: AsyncConnection, export: Export, most: int) -> bool:
    """Keep an order; False when ``most`` are being made in the city."""
    e = t.export.c
    query = select(func.count()).where(_making(), e.alive_ms > export.asked_ms - ALIVE_WITHIN_MS)
    if int(await connection.scalar(query) or 0) >= most:
        return False
    values = {
        "id": export.id,
        "agency_id": export.agency,
        "user_id": export.user,
        "node": export.node,
        "title": clean(export.title),
        "asked_ms": export.asked_ms,
        "alive_ms": export.asked_ms,
        "state": export.state.value,
        "recordings": 0,
        "size": 0,
        "detail": "",
    }
    await connection.execute(insert(t.export), [values])
    return True


async def alive(connection: AsyncConnection, exports: Collection[str], at_ms: int) -> None:
    """These are being made still."""
    which = t.export.c.id.in_(sorted(exports))
    await connection.execute(update(t.export).where(which).values(alive_ms=at_ms))


async def end(connection: AsyncConnection, export: str, outcome: Outcome, until_ms: int) -> None:
    """It is made, or given up; to be forgotten after ``until_ms``."""
    values = {
        "state": outcome.state.value,
        "recordings": outcome.recordings,
        "size": outcome.size,
        "detail": clean(outcome.detail)[:DETAIL_CHARS],
        "until_ms": until_ms,
    }
    await connection.execute(update(t.export).where(t.export.c.id == export).values(**values))


async def lost(connection: AsyncConnection, node: str, at_ms: int, until_ms: int) -> list[str]:
    """Give up what an earlier run of ``node`` was making, and what nothing is heard of; returns their ids."""
    e = t.export.c
    which = _making() & or_(e.node == node, e.alive_ms <= at_ms - ALIVE_WITHIN_MS)
    gone = list((await connection.execute(select(e.id).where(which))).scalars())
    values = {"state": ExportState.FAILED.value, "detail": LOST, "until_ms": until_ms}
    await connection.execute(update(t.export).where(e.id.in_(gone)).values(**values))
    return gone


async def of(connection: AsyncConnection, user: UserId, at_ms: int) -> list[Export]:
    """Everything ``user`` asked for whose time is not over, the newest first."""
    e = t.export.c
    query = select(t.export).where(e.user_id == user, _kept(at_ms)).order_by(e.asked_ms.desc(), e.id)
    return [_read(row, at_ms) for row in await connection.execute(query)]


async def one(connection: AsyncConnection, export: str, user: UserId, at_ms: int) -> Export | None:
    """The export of that user with that id, unless its time is over."""
    e = t.export.c
    query = select(t.export).where(e.id == export, e.user_id == user, _kept(at_ms))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _read(row, at_ms)


async def over(connection: AsyncConnection, at_ms: int) -> list[str]:
    """Those whose time is over."""
    return list((await connection.execute(select(t.export.c.id).where(t.export.c.until_ms <= at_ms))).scalars())


async def forget(connection: AsyncConnection, exports: Collection[str]) -> None:
    """Their files are gone."""
    await connection.execute(delete(t.export).where(t.export.c.id.in_(sorted(exports))))


def _making() -> ColumnElement[bool]:
    return t.export.c.state == ExportState.MAKING.value


def _kept(at_ms: int) -> ColumnElement[bool]:
    return or_(t.export.c.until_ms.is_(None), t.export.c.until_ms > at_ms)


def _read(row: Row[Any], at_ms: int) -> Export:
    state, detail = ExportState(row.state), row.detail
    if state is ExportState.MAKING and row.alive_ms <= at_ms - ALIVE_WITHIN_MS:
        state, detail = ExportState.FAILED, LOST
    return Export(
        row.id,
        AgencyId(row.agency_id),
        UserId(row.user_id),
        row.node,
        row.title,
        row.asked_ms,
        state,
        row.recordings,
        row.size,
        detail,
    )
