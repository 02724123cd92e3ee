"""Requests that come in one moment are begun one a turn of the loop."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from starlette.types import Message, Receive, Scope, Send

from poc_server.api.bridge.turns import OneATurn

MANY = 50
TELL: Scope = {"type": "http", "method": "PUT", "path": "/cases/C1"}


class Begun:
    """An application that notes in which turn of the loop each request began."""

    def __init__(self) -> None:
        self.turn = 0
        self.begun: list[int] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.begun.append(self.turn)
        if scope.get("fails"):
            raise ValueError
        await asyncio.sleep(0.01)

    async def count(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.turn += 1


async def _receive() -> Message:
    return {"type": "http.request"}


async def _send(_: Message) -> None:
    pass


async def begun(*scopes: Scope) -> tuple[Begun, list[object]]:
    inner = Begun()
    app = OneATurn(inner, paths=("/cases",))
    counting = asyncio.create_task(inner.count())
    answers = await asyncio.gather(*(app(scope, _receive, _send) for scope in scopes), return_exceptions=True)
    counting.cancel()
    return inner, answers


async def test_of_many_requests_one_a_turn_is_begun_and_none_waits_for_another_to_end() -> None:
    inner, answers = await begun(*(TELL for _ in range(MANY)))
    assert answers == [None] * MANY
    assert max(Counter(inner.begun).values()) == 1
    assert inner.begun == sorted(inner.begun)


async def test_one_that_fails_or_is_given_up_lets_the_next_one_in() -> None:
    inner, answers = await begun({**TELL, "fails": True}, TELL)
    assert [type(each) for each in answers] == [ValueError, type(None)]
    app = OneATurn(inner, paths=("/cases",))
    tasks = [asyncio.create_task(app(TELL, _receive, _send)) for _ in range(3)]
    await asyncio.sleep(0)
    for task in tasks[:2]:
        task.cancel()
    await tasks[2]
    for task in tasks[:2]:
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    "other", [{"type": "websocket"}, {**TELL, "method": "GET"}, {**TELL, "path": "/healthz", "method": "GET"}]
)
async def test_phones_and_who_only_looks_do_not_wait_behind_them(other: Scope) -> None:
    inner, _ = await begun(*([TELL] * MANY), *([other] * MANY))
    assert Counter(inner.begun)[0] >= MANY
