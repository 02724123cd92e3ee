"""What must wait for SQL, done beside the loop's other work: what phones ask, and what is read at the start."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import structlog

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused

if TYPE_CHECKING:
    from poc_server.store import Store
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)

LOAD_AGAIN_S = 1.0
T = TypeVar("T")


class Later:
    """Work under way, kept from being forgotten, its failure from being silent."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._asked: dict[asyncio.Task[Any], tuple[Phone, str]] = {}
        self._loads: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it in the background."""
        self.beside(work)

    def beside(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Do it in the background for one who may stop waiting for it; a refusal is then nobody's."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def answer(self, phone: Phone, request: str, work: Coroutine[Any, Any, Any]) -> None:
        """Do what a phone asked; a refusal is its answer."""
        self._asked[self.beside(self._answered(phone, request, work))] = (phone, request)

    async def load(self, store: Store, load: Callable[[], Awaitable[None]], what: str) -> bool:
        """Read what was kept; while SQL is away, as soon as it is back (``what``: for the log). Whether it was read."""
        loaded = await _loaded(store, load, what)
        if not loaded:
            log.warning("not_loaded", what=what)
            self._loads.add(self.beside(self._load_later(store, load, what)))
        return loaded

    def rest(self) -> None:
        """Another node does this now: nothing is read for it here, and phones ask again, there.

        What was begun without a phone that waits for it comes to its end: it keeps what was decided here.
        """
        for task in tuple(self._loads):
            task.cancel()
        asked, self._asked = self._asked, {}
        for task, (phone, request) in asked.items():
            if not task.done():
                task.cancel()
                phone.refuse(Refusal.UNAVAILABLE, request)

    async def aclose(self) -> None:
        """End what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _load_later(self, store: Store, load: Callable[[], Awaitable[None]], what: str) -> None:
        while True:
            await asyncio.sleep(LOAD_AGAIN_S)
            if await _loaded(store, load, what):
                log.info("loaded", what=what)
                return

    async def _answered(self, phone: Phone, request: str, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except Refused as refused:
            phone.refuse(refused.code, request)
        except Exception:
            log.exception("request_failed", user=phone.user.id)
            phone.refuse(Refusal.INTERNAL, request)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._loads.discard(task)
        self._asked.pop(task, None)
        if not task.cancelled() and not isinstance(task.exception(), Refused | None):
            log.error("background_work_failed", exc_info=task.exception())


async def _loaded(store: Store, load: Callable[[], Awaitable[None]], what: str) -> bool:
    # What is kept is judged by the directory of the same SQL, not by an old copy of it.
    if not store.ready:
        return False
    try:
        await load()
    except Refused as refused:
        log.debug("not_loaded_yet", what=what, code=refused.code)
        return False
    return True
