"""SQL that is lost, or a node that ends, between a commit and the telling of it, on both real databases."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

import pytest
from sqlalchemy import func, select

from gateway.incidents.effects import BringForward
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.rules import Attention
from groups.vocabulary import GroupId, IncidentCode, Refusal, UserId
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.setup import Setup
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Connection
from poc_server.store.bridge import incidents, untold
from poc_server.store.bridge.untold import Untold
from poc_server.store.city import units
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


async def test_what_was_told_is_not_owed_however_long_the_node_looks_at_its_cases(
    bridged: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = asyncio.Event()

    async def without_end(_connection: Connection) -> None:
        looks.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(incidents, "live", without_end)
    one = await bridged.town.person(name="甲")
    async with asyncio.timeout(30):
        await looks.wait()
    await bridged.tell("Q6", parties=of(one))
    await all_told(bridged)


async def test_what_cannot_be_told_is_not_owed_for_ever_and_holds_up_nothing_after_it(
    bridged: Bridged, monkeypatch: pytest.MonkeyPatch
) -> None:
    town = bridged.town
    async with bridged.store.change() as change:
        patrol = await units.create_unit(change, town.agency, town.unit, "一队")
    one = await town.person(name="甲", unit=patrol)
    for code in ("Q4", "Q5"):
        await bridged.tell(code, version=1, urgent=True, parties=[{"kind": "unit", "id": "一队"}])
    await all_told(bridged)
    changed = bridged.told.changed

    def broken(state: IncidentState, group: GroupId, gone: Iterable[UserId] = ()) -> None:
        if state.code == "Q4":
            raise RuntimeError("a phone that cannot be told")
        changed(state, group, gone)

    monkeypatch.setattr(bridged.told, "changed", broken)
    forward = (BringForward(frozenset({one}), Attention.SWITCHED),)
    left = [Untold(number, town.agency, IncidentCode(code), forward=forward) for number, code in ((1, "Q4"), (2, "Q5"))]
    before = came_forward(bridged.told).count(("Q5", one))
    async with bridged.store.writing() as connection:
        await untold.note(connection, left, 0)
    await until(lambda: came_forward(bridged.told).count(("Q5", one)) > before)
    await all_told(bridged)
    # So it is where nobody told it, and people are others by themselves.
    two = await town.person(name="乙", unit=patrol)
    for code in ("Q4", "Q5"):
        await bridged.members(code, {one, two})
    await all_told(bridged)
