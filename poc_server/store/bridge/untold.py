"""Changes of incidents that phones have yet to learn of: written with the change, taken away once it was told.

A node that ends between the two leaves here what another has to tell. Times are ms on the clock that all nodes share.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import BringForward
from gateway.incidents.rules import Attention
from groups.vocabulary import AgencyId, IncidentCode, UserId
from poc_server.store.sql.statements import in_parts
from poc_server.store.tables import bridge as t

AT_ONCE = 8
"""Changes that are taken over together; one may be of dozens of incidents."""


@dataclass(frozen=True, slots=True)
class Untold:
    """What phones are to learn of one incident.

    Attributes:
        version: of the change of the directory that it came with.
        gone: whom it concerned until then.
        forward: on whose phones it comes forward.
    """

    version: int
    agency: AgencyId
    code: IncidentCode
    gone: frozenset[UserId] = frozenset()
    forward: tuple[BringForward, ...] = ()


async def note(connection: AsyncConnection, owed: Sequence[Untold], now: int) -> None:
    """These are to be told once this transaction is committed."""
    rows = [
        {
            "version": each.version,
            "agency_id": each.agency,
            "code": each.code,
            "at_ms": now,
            "gone": sorted(each.gone),
            "forward": [[int(one.attention), sorted(one.users)] for one in each.forward],
        }
        for each in owed
    ]
    if rows:
        await connection.execute(insert(t.incident_untold), rows)


async def forget(connection: AsyncConnection, versions: Collection[int]) -> None:
    """All that came with these changes was told."""
    for part in in_parts(sorted(versions)):
        await connection.execute(delete(t.incident_untold).where(t.incident_untold.c.version.in_(part)))


async def left(connection: AsyncConnection, before: int) -> list[int]:
    """The oldest changes that nobody told, nor took over, since ``before``."""
    c = t.incident_untold.c
    query = select(c.version).where(c.at_ms <= before).distinct().order_by(c.version).limit(AT_ONCE)
    return list((await connection.execute(query)).scalars())


async def take_over(connection: AsyncConnection, versions: Collection[int], before: int, now: int) -> list[Untold]:
    """What is to be told of these changes, now by this node; without those that another took over meanwhile."""
    u = t.incident_untold
    mine = update(u).where(u.c.version.in_(sorted(versions)), u.c.at_ms <= before).values(at_ms=now)
    rows = (await connection.execute(mine.returning(u.c.version, u.c.agency_id, u.c.code, u.c.gone, u.c.forward))).all()
    found = [
        Untold(
            row.version,
            AgencyId(row.agency_id),
            IncidentCode(row.code),
            frozenset(map(UserId, row.gone)),
            tuple(BringForward(frozenset(map(UserId, users)), Attention(level)) for level, users in row.forward),
        )
        for row in rows
    ]
    return sorted(found, key=lambda each: (each.version, each.code))
