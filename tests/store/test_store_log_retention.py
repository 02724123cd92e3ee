"""Logs stay half a year at least (网络安全法 §21), whatever an operator sets; what is over its time goes, no more."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import Boolean, Integer, LargeBinary, Table, func, insert, select

from poc_server.store import Actor, Store, audit, retention
from poc_server.store import tables as t
from poc_server.store.ids import now_ms
from poc_server.store.retention import CHANGES_KEPT, DAY_MS, Pruned
from poc_server.store.settings import RetentionSettings, StoreSettings
from poc_server.store.sql.engine import Database
from tests.fixtures.people import Town

SETTINGS = RetentionSettings(audit_days=200, burst_days=190, text_days=10, place_days=5)


@pytest.mark.parametrize("name", ["audit_days", "burst_days"])
def test_logs_stay_180_days_at_least_and_a_year_by_default(name: str) -> None:
    assert getattr(RetentionSettings(), name) == 365
    assert getattr(RetentionSettings.model_validate({name: 180}), name) == 180
    with pytest.raises(ValidationError):
        RetentionSettings.model_validate({name: 179})


@pytest.mark.wire
async def test_what_is_over_its_time_goes_and_nothing_else(store: Store, town: Town) -> None:
    user, now = await town.person(), now_ms()
    logs, said, text, place = (now - days * DAY_MS for days in (200, 190, 10, 5))
    alive = {"user_id": user, "ended_ms": None, "device_id": None}
    async with store.reading() as connection:
        newest = int(await connection.scalar(select(func.max(t.directory_change.c.version))) or 0)
    due: dict[Table, list[dict[str, Any]]] = {
        t.place: [{"at_ms": place - 1}],
        t.text: [{"at_ms": text - 1}],
        t.call: [{"started_ms": said - 1, "incident": None}],
        t.session: [{**alive, "ended_ms": logs - 1, "expires_ms": now}, {**alive, "expires_ms": logs - 1}],
        t.enrolment: [{"user_id": user, "expires_ms": logs - 1}],
        t.directory_change: [{"version": newest - CHANGES_KEPT}],
    }
    stays: dict[Table, list[dict[str, Any]]] = {
        t.place: [{"at_ms": place}],
        t.text: [{"at_ms": text}],
        t.call: [{"started_ms": said, "incident": None}, {"started_ms": 1, "incident": "E1"}],
        t.session: [{**alive, "expires_ms": logs}, {**alive, "ended_ms": logs, "expires_ms": now}],
        t.enrolment: [{"user_id": user, "expires_ms": logs}],
        t.directory_change: [{"version": newest - CHANGES_KEPT + 1}],
        t.burst: [{"started_ms": 1, "ended_ms": 2}],
    }
    async with store.writing() as connection:
        for number, (table, row) in enumerate(chain(of_each(due), of_each(stays))):
            await connection.execute(insert(table), [filled(table, number, row)])
    before = await counts(store)
    pruned = await retention.prune(store.database, SETTINGS, now)
    assert pruned == Pruned(places=1, texts=1, calls=1, sessions=2, enrolments=1, changes=1, audit=0)
    gone = {table.name: len(rows) for table, rows in due.items()}
    assert await counts(store) == {name: count - gone.get(name, 0) for name, count in before.items()}
    assert await retention.prune(store.database, SETTINGS, now) == Pruned(0, 0, 0, 0, 0, 0, 0)


def of_each(rows: dict[Table, list[dict[str, Any]]]) -> Iterator[tuple[Table, dict[str, Any]]]:
    return ((table, row) for table, of_table in rows.items() for row in of_table)


def filled(table: Table, number: int, given: dict[str, Any]) -> dict[str, Any]:
    """A row with what is given, and something in each other column that must have it; ``number``: of no other row."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.nullable or column.name in given:
            continue
        if isinstance(column.type, Boolean):
            row[column.name] = True
        elif isinstance(column.type, Integer):
            row[column.name] = number
        else:
            row[column.name] = b"%d" % number if isinstance(column.type, LargeBinary) else f"{number}"
    return row | given


async def counts(store: Store) -> dict[str, int]:
    async with store.reading() as connection:
        return {
            table.name: int(await connection.scalar(select(func.count()).select_from(table)) or 0)
            for table in t.metadata.sorted_tables
        }


@pytest.mark.wire
async def test_of_the_audit_the_old_end_goes_and_what_stays_is_still_sealed(store: Store) -> None:
    now = now_ms()
    limit = now - 200 * DAY_MS
    at = [limit - 2, limit - 1, limit, limit - 1, now]  # a clock that was put back: what is older stands later
    async with store.writing() as connection:
        await audit.append(connection, [audit.entry(Actor(), each, "old", "none", str(each)) for each in at])
    assert (await retention.prune(store.database, SETTINGS, now)).audit == 2
    async with store.reading() as connection:
        kept = (await connection.execute(select(t.audit.c.at_ms).order_by(t.audit.c.seq))).scalars().all()
        assert kept == at[2:]
        assert await audit.verify(connection) == audit.AuditCheck(3)
    assert (await retention.prune(store.database, SETTINGS, now)).audit == 0


@pytest.mark.wire
async def test_the_audit_is_pruned_in_slices_each_of_which_leaves_it_sealed(store: Store) -> None:
    async with store.writing() as connection:
        await audit.append(connection, [audit.entry(Actor(), at, "old", "none", str(at)) for at in range(5)])
    for gone, left in ((2, 3), (2, 1), (1, 0), (0, 0)):
        async with store.writing() as connection:
            assert await audit.prune(connection, 5, 2) == gone
        async with store.database.snapshot() as connection:
            assert await audit.verify(connection) == audit.AuditCheck(left)


@pytest.mark.wire
async def test_two_nodes_that_prune_the_audit_at_once_leave_it_sealed(
    store: Store, store_settings: StoreSettings, tmp_path: Path
) -> None:
    """The slower one begins while a slice of the other is not committed yet, and must not go back to its end."""
    other = Database.open(store_settings, tmp_path / "data")
    async with store.writing() as connection:
        await audit.append(connection, [audit.entry(Actor(), at, "old", "none", str(at)) for at in range(20)])

    async def slower() -> int:
        async with other.writing() as connection:
            return await audit.prune(connection, 15, 2)

    async with store.writing() as connection:
        gone = await audit.prune(connection, 15, 2)
        beside = asyncio.create_task(slower())
        for _ in range(4):
            gone += await audit.prune(connection, 15, 2)
    gone += await beside
    await other.aclose()
    assert gone == 12
    async with store.database.snapshot() as connection:
        assert await audit.verify(connection) == audit.AuditCheck(8)
