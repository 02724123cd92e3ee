"""What a phone asked and must wait for SQL: carried out beside the loop's other work; a refusal becomes the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

import structlog

from groups.vocabulary import Refusal
from poc_server.refused import Refused

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)


class Later:
    """Work under way, kept from being forgotten, its failure from being silent."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do it in the background."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def answer(self, phone: Phone, request: str, work: Coroutine[Any, Any, Any]) -> None:
        """Do what a phone asked; a refusal is its answer."""
        self.spawn(self._answered(phone, request, work))

    async def aclose(self) -> None:
        """End what is under way."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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
        if not task.cancelled() and task.exception() is not None:
            log.error("background_work_failed", exc_info=task.exception())
