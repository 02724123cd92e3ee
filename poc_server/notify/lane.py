"""One urgency's queue of people to be woken: in order among themselves, and behind nobody of another urgency.

A broadcast to thousands takes minutes at a push service that answers slowly. Whoever is in danger meanwhile has a lane
of his own, with its own room and its own attempts under way, so there is nothing of lesser weight to wait behind.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from gateway.waking.notice import Notice
from groups.vocabulary import UserId

Tell = Callable[["Lane", Notice, tuple[UserId, ...]], Awaitable[None]]


class Lane:
    """Those who wait with one urgency.

    Attributes:
        people: how many they are.
        tasks: the attempts under way, and what takes up the next.

    Args:
        tell: begins the attempts for one notice (`begin`), and returns when all are under way.
        limit: people who may wait.
        at_once: attempts that may be under way.
    """

    def __init__(self, tell: Tell, limit: int, at_once: int) -> None:
        self.people = 0
        self.tasks: set[asyncio.Task[Any]] = set()
        self._tell = tell
        self._limit = limit
        self._waiting: deque[tuple[Notice, tuple[UserId, ...]]] = deque()
        self._came = asyncio.Event()
        self._slots = asyncio.Semaphore(at_once)

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._spawn(self._run())

    async def aclose(self) -> None:
        """Stop, with all attempts under way."""
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    def put(self, notice: Notice, users: tuple[UserId, ...]) -> bool:
        """Take them up behind those who wait here already; False: there is no room for so many."""
        if self.people + len(users) > self._limit:
            return False
        self.people += len(users)
        self._waiting.append((notice, users))
        self._came.set()
        return True

    async def begin(self, attempts: Coroutine[Any, Any, None]) -> None:
        """Carry out the attempts toward one address; returns as soon as they are under way."""
        try:
            await self._slots.acquire()
        except BaseException:
            attempts.close()
            raise
        self._spawn(attempts).add_done_callback(lambda _: self._slots.release())

    async def _run(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            while self._waiting:
                notice, users = self._waiting.popleft()
                try:
                    await self._tell(self, notice, users)
                finally:
                    self.people -= len(users)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
