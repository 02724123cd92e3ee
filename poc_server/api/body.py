"""No request body grows past its limit, whatever its length header says, and none is waited for without end."""

from __future__ import annotations

import asyncio

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGER: dict[str, int] = {}
"""Paths that may take more than the common limit, in bytes."""
BODY_GRACE_S = 30.0
"""How long a body may take, whatever comes of it."""
BODY_BYTES_S = 1_000
"""And for each that many bytes of it a second more: no phone's network that carries voice is as slow."""


class BodyLimit:
    """ASGI middleware that counts what is read, and how long it takes to come.

    Args:
        limit: most bytes of a body.
        grace_s: as `BODY_GRACE_S`.
        bytes_s: as `BODY_BYTES_S`.
    """

    def __init__(self, app: ASGIApp, limit: int, grace_s: float = BODY_GRACE_S, bytes_s: float = BODY_BYTES_S) -> None:
        self._app = app
        self._limit = limit
        self._grace_s, self._bytes_s = grace_s, bytes_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        left = LARGER.get(scope["path"], self._limit)
        until: float | None = None
        whole = False

        async def counted() -> Message:
            nonlocal left, until, whole
            if whole:
                return await receive()  # that he hangs up, at some time
            if until is None:
                until = asyncio.get_running_loop().time() + self._grace_s
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                # Raised where the route reads its body, so that it becomes a problem like any other.
                raise HTTPException(408, "the body came too slowly", {"connection": "close"}) from None
            size = len(message.get("body", b""))
            left -= size
            until += size / self._bytes_s
            whole = not message.get("more_body", False)
            if left < 0:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)
