"""How many requests of one person are answered at the same time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import cast

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused

RETRY_AFTER_MS = 1_000
_ENTERED = "poc_entered"


class AtOnce:
    """Counts the requests of each person that are under way on this node. ``limit``: most of one person; None: any."""

    def __init__(self, limit: int | None = None) -> None:
        self._limit = limit
        self._under_way: Counter[str] = Counter()

    def enter(self, request: Request, who: str) -> None:
        """One more, till its answer is sent. Refuses (too_fast) the one beyond the limit."""
        if self._limit is not None and self._under_way[who] >= self._limit:
            raise Refused(Refusal.TOO_FAST, "too many requests at once", retry_after_ms=RETRY_AFTER_MS)
        self._under_way[who] += 1
        cast("list[Callable[[], None]]", request.scope[_ENTERED]).append(partial(self._leave, who))

    def _leave(self, who: str) -> None:
        self._under_way[who] -= 1
        if not self._under_way[who]:
            del self._under_way[who]


class UnderWay:
    """ASGI middleware that ends what `AtOnce` counted with the answer: also a file that is sent, or that nobody reads.

    A person is known only within, by his token; so it is counted there and ended here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        entered: list[Callable[[], None]] = []
        try:
            await self._app({**scope, _ENTERED: entered}, receive, send)
        finally:
            for leave in entered:
                leave()
