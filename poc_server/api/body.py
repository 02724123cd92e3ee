"""No request body grows past its limit, whatever its length header says."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGER: dict[str, int] = {}
"""Paths that may take more than the common limit, in bytes."""


class BodyLimit:
    """ASGI middleware that counts what is read."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        left = LARGER.get(scope["path"], self._limit)

        async def counted() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            if left < 0:
                # Raised where the route reads its body, so that it becomes a problem like any other.
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
