"""One change of the directory: a transaction with a new version number, notes of what changed, and its audit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, Refusal
from poc_server.ground.refused import Refused
from poc_server.store import audit
from poc_server.store import tables as t
from poc_server.store.audit import Actor, AuditEntry
from poc_server.store.sql.engine import Database

Kind = Literal["agency", "unit", "user", "group", "device", "membership", "shift", "session", "cell", "none"]


class Change:
    """What repositories write through. ``version`` is stamped on every row they touch."""

    def __init__(self, connection: AsyncConnection, version: int, actor: Actor, at_ms: int) -> None:
        self.connection = connection
        self.version = version
        self.actor = actor
        self.at_ms = at_ms
        self.noted: set[tuple[Kind, str, str]] = set()
        self.entries: list[AuditEntry] = []

    def note(self, kind: Kind, target: str, other: str = "") -> None:
        """Tell every node to read this again; a membership is (group, user)."""
        self.noted.add((kind, target, other))

    def record(
        self,
        action: str,
        target_kind: str,
        target: str,
        detail: Mapping[str, Any] | None = None,
        agency: AgencyId | None = None,
    ) -> None:
        """Add to the audit, in this same transaction."""
        self.entries.append(audit.entry(self.actor, self.at_ms, action, target_kind, target, detail, agency))


@asynccontextmanager
async def changing(database: Database, actor: Actor, at_ms: int) -> AsyncIterator[Change]:
    """Begin a change at ``at_ms`` (since the epoch). Commits at the end unless an exception passes.

    The lock on the version row puts all changes in one order, so a node that has seen version n has seen all up to n.
    Raises `Refused` (conflict) when the database finds a duplicate or a missing neighbour, `StoreUnavailable`.
    """
    try:
        async with database.writing() as connection, changing_on(connection, actor, at_ms) as change:
            yield change
    except IntegrityError as problem:
        raise Refused(Refusal.CONFLICT, _constraint(problem)) from problem


@asynccontextmanager
async def changing_on(connection: AsyncConnection, actor: Actor, at_ms: int) -> AsyncIterator[Change]:
    """A change within a transaction that does something else, too."""
    change = Change(connection, await _next_version(connection), actor, at_ms)
    yield change
    await _finish(change)


async def noted_between(change: Change, version: int, kinds: Collection[Kind]) -> bool:
    """Whether things of these kinds were changed after ``version`` and before this change."""
    log = t.directory_change.c
    query = select(log.version).where(log.version > version, log.version < change.version, log.kind.in_(sorted(kinds)))
    return (await change.connection.execute(query.limit(1))).first() is not None


async def note_alone(connection: AsyncConnection, kind: Kind, target: str) -> None:
    """Tell every node to read one thing again, from a transaction that is no `Change`."""
    version = await _next_version(connection)
    row = {"version": version, "kind": kind, "target_id": target, "other_id": ""}
    await connection.execute(insert(t.directory_change), [row])


async def _next_version(connection: AsyncConnection) -> int:
    bump = update(t.directory_version).values(version=t.directory_version.c.version + 1)
    await connection.execute(bump)
    return int((await connection.execute(select(t.directory_version.c.version))).scalar_one())


async def _finish(change: Change) -> None:
    noted = sorted(change.noted) or [("none", "", "")]
    rows = [
        {"version": change.version, "kind": kind, "target_id": target, "other_id": other}
        for kind, target, other in noted
    ]
    await change.connection.execute(insert(t.directory_change), rows)
    await audit.append(change.connection, change.entries)


def _constraint(problem: IntegrityError) -> str:
    """The name of what was violated, without values: they may be secret."""
    cause = problem.orig.__cause__ if problem.orig is not None else None
    named = getattr(cause, "constraint_name", None)
    if named:
        return str(named)
    text = str(problem.orig)
    return text.split("failed: ", 1)[-1].split("\n", 1)[0][:100] if "failed: " in text else "constraint"
