"""What is asked of SQL again and again, because another may have changed it: together, in one reading.

There is hardly ever anything new. A reading of its own for each question woke a node with nothing to do several times a
second, and beside an audience of 500 these were a twentieth of what it did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.ground.refused import StoreUnavailable

T = TypeVar("T")
Question = Callable[[AsyncConnection], Awaitable[T]]
"""Short, and reads only: others wait for their answers behind it."""


@dataclass(slots=True)
class _Asked:
    question: Question[Any]
    answer: asyncio.Future[Any]
    since: float
    by: float


class Looks:
    """When somebody's time has come, all get their answers who have waited for long enough.

    Args:
        reading: `Database.reading`.
    """

    def __init__(self, reading: Callable[[], AbstractAsyncContextManager[AsyncConnection]]) -> None:
        self._reading = reading
        self._waiting: list[_Asked] = []
        self._timer: asyncio.TimerHandle | None = None
        self._under_way: set[asyncio.Task[None]] = set()

    async def ask(self, question: Question[T], about_s: float = 0.0) -> T:
        """What ``question`` finds in about so many seconds: half of that at least, and half as much again at most.

        When in between others ask decides. Raises `StoreUnavailable`, and what ``question`` raises.
        """
        loop = asyncio.get_running_loop()
        now = loop.time()
        asked = _Asked(question, loop.create_future(), now + 0.5 * about_s, now + 1.5 * about_s)
        self._waiting.append(asked)
        if self._timer is None or asked.by < self._timer.when():
            self._disarm()
            self._timer = loop.call_at(asked.by, self._look)
        found: T = await asked.answer
        return found

    async def aclose(self) -> None:
        """Nobody gets an answer any more."""
        self._disarm()
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        _cancel(self._waiting)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        asked = sorted((each for each in self._waiting if not each.answer.done()), key=_urgency)
        left = [each for each in asked if each.since <= now]
        self._waiting = [each for each in asked if each.since > now]
        self._timer = loop.call_at(self._waiting[0].by, self._look) if self._waiting else None
        if not left:
            return
        task = loop.create_task(self._answer(left), name="looks")
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _answer(self, left: list[_Asked]) -> None:
        try:
            while left:
                await self._answer_some(left)
        finally:
            _cancel(left)

    async def _answer_some(self, left: list[_Asked]) -> None:
        """All that are left; or, up to one that fails: a transaction in which a statement failed answers no more."""
        begun = False
        try:
            async with self._reading() as connection:
                while left:
                    begun = True
                    found = await left[0].question(connection)
                    asked = left.pop(0)
                    if not asked.answer.done():
                        asked.answer.set_result(found)
        except Exception as problem:
            away = isinstance(problem, StoreUnavailable) or not begun
            failed, left[:] = (left[:], []) if away else (left[:1], left[1:])
            for asked in failed:
                if not asked.answer.done():
                    asked.answer.set_exception(problem)


def _urgency(asked: _Asked) -> float:
    return asked.by


def _cancel(asked: list[_Asked]) -> None:
    for each in asked:
        each.answer.cancel()
