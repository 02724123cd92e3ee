"""Who makes an export, on either database: of several that take one over one has it, and the fence tells which."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from groups.vocabulary import AgencyId, UserId
from poc_server.store import Store
from poc_server.store.records import exports
from poc_server.store.records.exports import LET_GO_MS, Export, ExportState, Outcome, Sign

pytestmark = pytest.mark.wire
NOW = 1_700_000_000_000
AGENCY, US = AgencyId("ag"), UserId("us-1")
LEFT = Export("ex-1", AGENCY, US, "n1", "案卷", NOW, wish="{}")
READY = Outcome(ExportState.READY, recordings=3, size=9)


async def test_an_export_that_is_lost_is_taken_over_by_one_node_and_published_by_none_that_had_it_before(
    store: Store,
) -> None:
    async with store.writing() as connection:
        assert await exports.begin(connection, LEFT, most=1)
        assert not await exports.begin(connection, replace(LEFT, id="ex-2"), most=1)
        await exports.alive(connection, {LEFT.id: 0}, NOW + 1)
        (sign,) = await exports.signs(connection)
    assert sign == Sign(LEFT.id, "n1", 0, NOW + 1)

    async def take(node: str) -> Export | None:
        async with store.writing() as connection:
            return await exports.take(connection, sign, node, NOW + 2)

    taken = [each for each in await asyncio.gather(take("n2"), take("n3")) if each is not None]
    assert [replace(each, node="") for each in taken] == [replace(LEFT, node="", fence=1)]
    async with store.writing() as connection:
        await exports.alive(connection, {LEFT.id: 0}, NOW + 9)
        (heard,) = await exports.signs(connection)
        assert (heard.fence, heard.alive_ms) == (1, NOW + 2), "who had it before says nothing of it"
        assert not await exports.end(connection, LEFT, READY, NOW + 10)
        for _ in range(2):  # the first answer was lost
            assert await exports.end(connection, taken[0], READY, NOW + 10)
        assert await exports.take(connection, heard, "n4", NOW + 3) is None, "it is made"
        await exports.alive(connection, {LEFT.id: 1}, LET_GO_MS)
        assert await exports.signs(connection) == []
        made = await exports.one(connection, LEFT.id, US, NOW + 9)
        assert made is not None
        assert (made.state, made.recordings, made.size, made.fence) == (ExportState.READY, 3, 9, 1)
        assert (await exports.of(connection, US, NOW + 10), await exports.over(connection, NOW + 10)) == ([], [LEFT.id])
        await exports.forget(connection, [LEFT.id])
        assert await exports.over(connection, NOW + 10) == []
