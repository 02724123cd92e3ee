"""What many ask over HTTP at one moment is begun one at a time, so that voice goes on in between."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Receive, Scope, Send


class OneATurn:
    """ASGI middleware by which one turn of the loop begins one request at most.

    To find a request's route, prove who sent it and read it costs a millisecond or two. A case system that tells of
    thirty cases over as many connections would hold the loop for all of them, and every voice packet with it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._door = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Sockets of phones do not wait here."""
        if scope["type"] == "http":
            async with self._door:
                await asyncio.sleep(0)
        await self._app(scope, receive, send)
