"""A change made over HTTP is answered when the other nodes hold it too: what is done next may be done anywhere.

Without it a group that was just made is unknown where the next press, or the desk, happens to be.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from poc_server.neighbours.news.news import News
    from poc_server.store.directory import Directory

KNOW_S = 1.0
"""A node that does not say so by then is left out: the change stands, and it reads it with its next poll."""
_ONLY_READ = frozenset({"GET", "HEAD", "OPTIONS"})


class AllKnow:
    """Stands before the API where there are several nodes."""

    def __init__(self, served: ASGIApp, news: News, directory: Directory) -> None:
        self._served = served
        self._news = news
        self._directory = directory

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http" or scope["method"] in _ONLY_READ:
            await self._served(scope, receive, send)
            return
        before = self._directory.version

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start" and self._directory.version != before:
                await self._news.known_by_all(KNOW_S)
            await send(message)

        await self._served(scope, receive, answer)
