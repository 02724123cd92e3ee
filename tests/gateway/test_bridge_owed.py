"""SQL that is lost between a commit and the look at the directory after it, on both real databases."""

from __future__ import annotations

import asyncio

import pytest

from groups.vocabulary import Refusal
from poc_server.refused import Refused, StoreUnavailable
from tests.fixtures.bridge import Bridged, of

pytestmark = pytest.mark.wire


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
    assert bridged.told.forward == []
    away = False
    async with asyncio.timeout(30):
        while len(bridged.told.forward) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    forward = [("Q1", {one, two}), ("Q2", {one, two})]
    assert sorted(bridged.told.forward) == forward
    assert sorted(bridged.told.changes)[-2:] == forward
    # Who was refused tells it again, as he was asked to.
    for code, again in urgent.items():
        await bridged.tell(code, **again)
    assert sorted(bridged.told.forward) == forward
