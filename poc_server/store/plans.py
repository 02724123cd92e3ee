"""Saved plans (应急方案): whom to reach, in which tier, with which message; started by one tap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UnitId
from poc_server.store import tables as t
from poc_server.store.change import Change
from poc_server.store.ids import clean, new_id
from poc_server.store.sql.lookup import one, unit_of_agency

MAX_PLANS = 500
"""Of one agency."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One plan. ``content``: what it starts, in the plain form of its message without the ids."""

    id: str
    agency: AgencyId
    unit: UnitId
    name: str
    content: dict[str, Any]
    version: int


async def create_plan(change: Change, agency: AgencyId, unit: UnitId, name: str, content: dict[str, Any]) -> str:
    """A new plan. Refuses a unit of others (not_found)."""
    await unit_of_agency(change.connection, agency, unit)
    made = new_id("pl")
    row = {"id": made, "agency_id": agency, "unit_id": unit, "name": clean(name), "content": content}
    await change.connection.execute(insert(t.plan), [{**row, "version": change.version}])
    change.record("plan.create", "plan", made, {"name": name}, agency)
    return made


async def update_plan(
    change: Change, plan: str, unit: UnitId, name: str, content: dict[str, Any], expected: int | None = None
) -> None:
    """Change a plan. Refuses an older ``expected`` version (stale)."""
    row = await one(change.connection, t.plan, plan, expected)
    await unit_of_agency(change.connection, row.agency_id, unit)
    values = {"unit_id": unit, "name": clean(name), "content": content, "version": change.version}
    await change.connection.execute(update(t.plan).where(t.plan.c.id == plan).values(values))
    change.record("plan.update", "plan", plan, {"name": name}, row.agency_id)


async def delete_plan(change: Change, plan: str, expected: int | None = None) -> None:
    """Delete a plan."""
    row = await one(change.connection, t.plan, plan, expected)
    await change.connection.execute(delete(t.plan).where(t.plan.c.id == plan))
    change.record("plan.delete", "plan", plan, {"name": row.name}, row.agency_id)


async def find_plan(connection: AsyncConnection, plan: str) -> Plan | None:
    """The plan with that id."""
    row = (await connection.execute(select(t.plan).where(t.plan.c.id == plan))).one_or_none()
    return None if row is None else _plan(row)


async def plans_of(connection: AsyncConnection, agency: AgencyId) -> list[Plan]:
    """The plans of an agency by name."""
    query = select(t.plan).where(t.plan.c.agency_id == agency).order_by(t.plan.c.name, t.plan.c.id).limit(MAX_PLANS)
    return [_plan(row) for row in (await connection.execute(query)).all()]


def _plan(row: Row[Any]) -> Plan:
    return Plan(row.id, AgencyId(row.agency_id), UnitId(row.unit_id), row.name, row.content, row.version)
