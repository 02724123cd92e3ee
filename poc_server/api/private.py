"""What the API answers is for who asked, and now: no browser keeps it for the next person, or for the next look."""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULTS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class Private:
    """ASGI middleware that says so of every answer below ``prefix`` that says nothing else itself.

    Files have a time of change, by which a browser would take them to hold for days (RFC 9111 §4.2.2). On a computer
    that several share the next one would then hear a recording that nobody judged for him, and the audit would miss it.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = f"{prefix}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or not scope["path"].startswith(self._prefix):
            await self._app(scope, receive, send)
            return

        async def private(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, private)
