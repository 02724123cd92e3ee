"""A database that hangs is found out before somebody in danger waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from poc_server.emergency import sql_watch
from poc_server.emergency.sql_watch import SqlWatch
from poc_server.talk.later import Later


class Sql:
    """Answers what it is given, and hangs until then."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[bool] = asyncio.Queue()

    async def answers(self) -> bool:
        return await self.given.get()


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110 - nobody tells of it
            await asyncio.sleep(0)


async def test_sql_that_hangs_or_is_away_is_silent_until_it_answers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_watch, "ASK_EVERY_S", 0)
    sql, later = Sql(), Later()
    store: Any = sql
    watch = SqlWatch(store, later, within_s=0.01)
    watch.begin()
    watch.begin()  # once, however often this node begins to lead
    await until(lambda: watch.silent)  # it hangs
    for answer, silent in ((True, False), (False, True), (True, False)):
        sql.given.put_nowait(answer)
        await until(lambda silent=silent: watch.silent is silent)
    await until(lambda: watch.silent)  # it hangs again
    watch.rest()
    assert not watch.silent, "another node asks now"
    await later.aclose()
