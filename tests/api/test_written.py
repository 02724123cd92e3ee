"""What is written of a whole city is what FastAPI would have written, and others have their turn meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from pydantic import BaseModel, TypeAdapter

from groups.model import User
from groups.vocabulary import AgencyId, UnitId, UserId
from poc_server.api.written import AT_ONCE, listed, listed_as_read, object_of
from poc_server.store.city.in_order import SORTED_AT_ONCE, by_pinyin, in_order


class Thing(BaseModel):
    name: str
    much: int | None = None


THINGS = TypeAdapter(list[Thing])


def odd(number: int) -> Thing | None:
    return Thing(name=f"第{number}个", much=number) if number % 2 else None


async def test_a_list_is_written_in_its_order_and_without_what_is_not_told() -> None:
    for count in (0, 1, 2, AT_ONCE, 3 * AT_ONCE + 1):
        made = [each for number in range(count) if (each := odd(number)) is not None]
        assert json.loads(await listed(THINGS, range(count), odd)) == [each.model_dump() for each in made]

        async def read(things: list[Thing] = made) -> AsyncIterator[Thing]:
            for each in things:
                yield each

        assert json.loads(await listed_as_read(THINGS, read())) == [each.model_dump() for each in made]


async def test_an_object_holds_what_is_small_and_what_is_written_already() -> None:
    answer = object_of({"mark": 'a"b', "whole": True, "next": None}, people=b"[]", gone=b'["us-1"]')
    told = json.loads(bytes(answer.body))
    assert told == {"mark": 'a"b', "whole": True, "next": None, "people": [], "gone": ["us-1"]}
    assert answer.headers["content-type"] == "application/json"


def person(number: int) -> User:
    return User(UserId(f"us-{number}"), AgencyId("ag-1"), UnitId("un-1"), f"王{number % 977}", frozenset())


async def test_others_have_their_turn_while_a_city_is_put_in_order_and_written() -> None:
    city = [person(number) for number in range(3 * SORTED_AT_ONCE + 7)]
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    found = await in_order(city)
    assert found == sorted(city, key=by_pinyin)
    assert turns > len(city) / SORTED_AT_ONCE
    turns = 0
    await listed(THINGS, found, lambda user: Thing(name=user.name))
    assert turns >= len(city) / AT_ONCE
    counting.cancel()
