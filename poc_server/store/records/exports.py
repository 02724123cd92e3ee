"""Exports in SQL: what was ordered, which node makes it, what became of it. Any node answers for any of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.ids import clean

LET_GO_MS = 0
"""When it was heard last of an export that the node that made it has let go: any other may take it over."""
LOST = "the nodes that made it ended"
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
    """One export.

    ``asked_ms``: since the epoch; ``size``: bytes of its file; ``detail``: why it failed; ``wish``: all that is needed
    to make it anew, as JSON. ``fence`` counts how often it was taken over: what a node makes that has lost it meanwhile
    is not published.
    """

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
    wish: str = ""
    fence: int = 0


@dataclass(frozen=True, slots=True)
class Sign:
    """What is heard of an export that is being made; it changes as long as somebody makes it."""

    export: str
    node: str
    fence: int
    alive_ms: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an export: so many recordings in a file of ``size`` bytes, or why there is none."""

    state: ExportState
    recordings: int = 0
    size: int = 0
    detail: str = ""


async def begin(connection: AsyncConnection, export: Export, most: int) -> bool:
    """Keep an order; False when ``most`` are being made in the city."""
    if int(await connection.scalar(select(func.count()).where(_making())) or 0) >= most:
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
        "fence": export.fence,
        "wish": export.wish,
    }
    await connection.execute(insert(t.export), [values])
    return True


async def alive(connection: AsyncConnection, fences: Mapping[str, int], at_ms: int) -> None:
    """These are being made still, by who has these fences; ``at_ms`` may be `LET_GO_MS`."""
    e = t.export.c
    statement = update(t.export).where(e.id == bindparam("export"), e.fence == bindparam("mine")).values(alive_ms=at_ms)
    if fences:
        await connection.execute(statement, [{"export": key, "mine": fence} for key, fence in fences.items()])


async def end(connection: AsyncConnection, export: Export, outcome: Outcome, until_ms: int) -> bool:
    """It is made, or given up; to be forgotten after ``until_ms``. False when another has taken it over meanwhile.

    May be said again, by who does not know whether it was heard.
    """
    values = {
        "state": outcome.state.value,
        "recordings": outcome.recordings,
        "size": outcome.size,
        "detail": clean(outcome.detail)[:DETAIL_CHARS],
        "until_ms": until_ms,
    }
    which = (t.export.c.id == export.id) & (t.export.c.fence == export.fence)
    return bool((await connection.execute(update(t.export).where(which).values(**values))).rowcount)


async def signs(connection: AsyncConnection) -> list[Sign]:
    """What was heard last of all that is being made in the city."""
    e = t.export.c
    rows = await connection.execute(select(e.id, e.node, e.fence, e.alive_ms).where(_making()).order_by(e.asked_ms))
    return [Sign(row.id, row.node, row.fence, row.alive_ms) for row in rows]


async def take(connection: AsyncConnection, sign: Sign, node: str, at_ms: int) -> Export | None:
    """``node`` makes it from now on; None when something was heard of it since ``sign``."""
    e = t.export.c
    heard = (e.id == sign.export) & (e.fence == sign.fence) & (e.alive_ms == sign.alive_ms)
    statement = update(t.export).where(_making() & heard).values(fence=sign.fence + 1, node=node, alive_ms=at_ms)
    if not (await connection.execute(statement)).rowcount:
        return None
    return _read((await connection.execute(select(t.export).where(e.id == sign.export))).one())


async def of(connection: AsyncConnection, user: UserId, at_ms: int) -> list[Export]:
    """Everything ``user`` asked for whose time is not over, the newest first."""
    e = t.export.c
    query = select(t.export).where(e.user_id == user, _kept(at_ms)).order_by(e.asked_ms.desc(), e.id)
    return [_read(row) for row in await connection.execute(query)]


async def one(connection: AsyncConnection, export: str, user: UserId, at_ms: int) -> Export | None:
    """The export of that user with that id, unless its time is over."""
    e = t.export.c
    query = select(t.export).where(e.id == export, e.user_id == user, _kept(at_ms))
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _read(row)


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


def _read(row: Row[Any]) -> Export:
    return Export(
        row.id,
        AgencyId(row.agency_id),
        UserId(row.user_id),
        row.node,
        row.title,
        row.asked_ms,
        ExportState(row.state),
        row.recordings,
        row.size,
        row.detail,
        row.wish or "",
        row.fence,
    )
