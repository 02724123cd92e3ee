"""SQL that is lost, or a node that ends, between a commit and the telling of it, on both real databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from sqlalchemy import func, select

from groups.vocabulary import Refusal, UserId
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.setup import Setup
from poc_server.refused import Refused, StoreUnavailable
from poc_server.store.tables import bridge as t
from tests.fixtures.bridge import WAITING, Bridged, of
from tests.gateway.told import Told

pytestmark = pytest.mark.wire


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def came_forward(*nodes: Told) -> list[tuple[str, UserId]]:
    """On whose phones which case came forward, as often as it did."""
    return sorted((code, user) for told in nodes for code, users in told.forward for user in users)


async def all_told(bridged: Bridged) -> None:
    """Until nothing stands in SQL that phones would have to learn of."""
    async with asyncio.timeout(30):
        while True:
            async with bridged.store.reading() as connection:
                if not await connection.scalar(select(func.count()).select_from(t.incident_untold)):
                    return
            await asyncio.sleep(0.02)


async def test_what_was_cut_off_comes_forward_once_sql_is_back_though_nobody_tells_it_again(
    bridged: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await bridged.town.person(name="甲"), await bridged.town.person(name="乙")
    await bridged.tell("Q1", version=1, parties=of(one))
    refresh, away = bridged.store.refresh, True

    async def look() -> None:
        if away:
            raise StoreUnavailable("lost")
        await refresh()

    monkeypatch.setattr(bridged.store, "refresh", look)
    urgent = {code: {"version": 2, "urgent": True, "parties": of(one, two)} for code in ("Q1", "Q2")}
    told = await asyncio.gather(*(bridged.tell(code, **each) for code, each in urgent.items()), return_exceptions=True)
    assert [each.code for each in told if isinstance(each, Refused)] == [Refusal.UNAVAILABLE] * 2
    away = False
    forward = [(code, user) for code in ("Q1", "Q2") for user in sorted((one, two))]
    await until(lambda: came_forward(bridged.told) == forward)
    # Who was refused tells it again, as he was asked to.
    for code, again in urgent.items():
        await bridged.tell(code, **again)
    await all_told(bridged)
    assert came_forward(bridged.told) == forward
    assert sorted(bridged.told.changes)[-2:] == [("Q1", {one, two}), ("Q2", {one, two})]


async def test_what_a_node_that_ended_after_the_commit_did_not_tell_another_tells_once(
    bridged: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = await bridged.town.person(name="甲"), await bridged.town.person(name="乙")
    await bridged.tell("Q3", version=1, parties=of(one, two))
    await all_told(bridged)
    refresh, committed = bridged.store.refresh, asyncio.Event()

    async def ends() -> None:
        task = asyncio.current_task()
        if task is not None and task.get_name() == "incidents":  # and not a look at what other nodes changed
            committed.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(bridged.store, "refresh", ends)
        telling = asyncio.create_task(bridged.tell("Q3", version=2, urgent=True, parties=of(one)))
        async with asyncio.timeout(30):
            await committed.wait()
        await bridged.bridge.aclose()
        await asyncio.gather(telling, return_exceptions=True)
    assert bridged.told.forward == []
    await refresh()
    others = [Told(), Told()]
    nodes = [Bridge(Setup(), bridged.store, each, 32, WAITING, 0.1, 0.2) for each in others]
    for node in nodes:
        node.start()
        node.open.set()
    await until(lambda: any(each.forward for each in others))
    await all_told(bridged)
    for node in nodes:
        await node.aclose()
    # A node that is slow to say that it told is no better than one that did not: a phone knows both by the change.
    assert set(came_forward(*others)) == {("Q3", one)}
    assert {change for each in others for change in each.changes} == {("Q3", frozenset({one}))}
    assert len({version for each in others for version in each.versions}) == 1
