"""What a case system tells at one moment is begun one request at a time, so that voice goes on in between."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send


class OneATurn:
    """ASGI middleware by which one turn of the loop begins one request to ``paths`` at most.

    To find a request's route, prove who sent it and read it costs a millisecond or two. A case system that tells of
    thirty cases over as many connections would hold the loop for all of them, and every voice packet with it. What
    people and machines that watch ask for does not wait behind them.
    """

    def __init__(self, app: ASGIApp, paths: Sequence[str]) -> None:
        self._app = app
        self._paths = tuple(paths)
        self._door = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Sockets of phones do not wait here."""
        if scope["type"] == "http" and scope["method"] != "GET" and scope["path"].startswith(self._paths):
            async with self._door:
                await asyncio.sleep(0)
        await self._app(scope, receive, send)
