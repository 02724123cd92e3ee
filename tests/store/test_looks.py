"""What is asked of SQL again and again is asked together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.ground.refused import StoreUnavailable
from poc_server.store.looks import Looks
from poc_server.store.settings import StoreSettings
from poc_server.store.sql.engine import Database

pytestmark = pytest.mark.wire


class Counted:
    """A database that counts how often it is read."""

    def __init__(self, folder: Path, file: str = "poc.sqlite") -> None:
        self.database = Database(f"sqlite+aiosqlite:///{folder / file}", StoreSettings())
        self.readings = 0

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        self.readings += 1
        async with self.database.reading() as connection:
            yield connection


@pytest.fixture
async def counted(tmp_path: Path) -> AsyncIterator[Counted]:
    made = Counted(tmp_path)
    yield made
    await made.database.aclose()


async def one(connection: AsyncConnection) -> int:
    return int((await connection.execute(text("select 1"))).scalar_one())


async def broken(_: AsyncConnection) -> int:
    raise ValueError("of the question's own")


async def test_those_who_wait_are_answered_in_one_reading(counted: Counted) -> None:
    looks = Looks(counted.reading)
    assert await asyncio.gather(*(looks.ask(one, 0.2) for _ in range(5))) == [1] * 5
    assert counted.readings == 1
    await looks.aclose()


async def test_who_asks_at_once_answers_those_who_waited_long_enough_and_no_others(counted: Counted) -> None:
    looks = Looks(counted.reading)
    first = asyncio.create_task(looks.ask(one, 0.001))
    second = asyncio.create_task(looks.ask(one, 60.0))
    assert await looks.ask(one, 0.01) == 1
    assert await first == 1
    assert not second.done()
    second.cancel()
    await looks.aclose()


async def test_a_question_that_fails_fails_for_who_asked_it_alone(counted: Counted) -> None:
    looks = Looks(counted.reading)
    found = await asyncio.gather(looks.ask(one), looks.ask(broken), looks.ask(one), return_exceptions=True)
    assert found[0] == found[2] == 1
    assert isinstance(found[1], ValueError)
    await looks.aclose()


async def test_without_sql_all_who_ask_are_told(tmp_path: Path) -> None:
    counted = Counted(tmp_path, "no folder/poc.sqlite")
    looks = Looks(counted.reading)
    found = await asyncio.gather(looks.ask(one), looks.ask(one), return_exceptions=True)
    assert [type(each) for each in found] == [StoreUnavailable] * 2
    await looks.aclose()
    await counted.database.aclose()


async def test_who_gives_up_is_not_waited_for_and_who_is_left_at_the_end_is_let_go(counted: Counted) -> None:
    looks = Looks(counted.reading)
    gone, left = asyncio.create_task(looks.ask(one, 0.1)), asyncio.create_task(looks.ask(one, 60.0))
    await asyncio.sleep(0)
    gone.cancel()
    assert await looks.ask(one, 0.2) == 1
    await looks.aclose()
    with pytest.raises(asyncio.CancelledError):
        await left
