"""HTTP requests about what the desk decides go on to the node that has the desk, and its answer comes back."""

from __future__ import annotations

import hmac
from collections.abc import Callable

import httpx
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATHS = ("/api/v1/alerts", "/api/v1/broadcasts", "/api/v1/cap")
MARK = b"x-poc-desk"
"""A request that was passed on once is not passed on again: the desk may just be moving. Its value only nodes know:
nobody else may have something decided where the desk is not."""
SENDER = b"x-poc-sender"
"""From which address it came to the node that passed it on: that is what the audit is to say."""
PURPOSE = b"poc-server passed on to the desk v1"
TIMEOUT_S = 5.0
_READS = frozenset({"GET", "HEAD"})
_NEVER_SAID = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Failures in which the desk cannot have heard of the request."""
_HOP_BY_HOP = frozenset({b"connection", b"keep-alive", b"transfer-encoding", b"host", b"content-length", b"upgrade"})


class ToDesk:
    """Stands before the API where there are several nodes.

    Args:
        served: the API of this node.
        unavailable: answers for a desk that is too slow, or died over it.
        desk_url: the desk's address, "" when it is here or nowhere.
        mark: the secret by which nodes know what one of them passed on.
        limit: bytes of the largest body of such a request; a longer one is refused by ``served``, unread.
        timeout_s: how long the desk may take; after it what only reads is served here, and anything else is refused.
    """

    def __init__(
        self,
        served: ASGIApp,
        unavailable: ASGIApp,
        desk_url: Callable[[], str],
        mark: bytes,
        limit: int,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._served = served
        self._unavailable = unavailable
        self._desk_url = desk_url
        self._mark = mark.hex().encode()
        self._limit = limit
        self._client = httpx.AsyncClient(timeout=timeout_s)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if self._passed_on(scope):
            await self._served(_as_it_came(scope), receive, send)
            return
        there = self._there(scope)
        if there is None:
            await self._served(scope, receive, send)
            return
        body = await _body(receive, self._limit)
        if len(body) > self._limit:
            await self._served(scope, _again(body), send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in (*_HOP_BY_HOP, MARK, SENDER)]
        if scope.get("client"):
            headers.append((SENDER, scope["client"][0].encode()))
        query = f"?{scope['query_string'].decode()}" if scope["query_string"] else ""
        request = self._client.build_request(
            scope["method"], f"{there}{scope['path']}{query}", headers=[*headers, (MARK, self._mark)], content=body
        )
        try:
            answer = await self._client.send(request)
        except httpx.HTTPError as failed:
            if scope["method"] in _READS or isinstance(failed, _NEVER_SAID):
                # The desk is just going: this node answers as well as it can.
                await self._served(scope, _again(body), send)
            else:
                # The desk may have done it, or do it still: done here, too, an alert would stand twice. He asks again.
                await self._unavailable(scope, receive, send)
            return
        kept = [(name, value) for name, value in answer.headers.raw if name.lower() not in _HOP_BY_HOP]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": kept})
        await send({"type": "http.response.body", "body": answer.content})

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    def _there(self, scope: Scope) -> str | None:
        """The desk's address when this request is for it and it is elsewhere."""
        if scope["type"] != "http" or not scope["path"].startswith(PATHS):
            return None
        return self._desk_url() or None

    def _passed_on(self, scope: Scope) -> bool:
        if scope["type"] != "http":
            return False
        return any(name == MARK and hmac.compare_digest(value, self._mark) for name, value in scope["headers"])


def _as_it_came(scope: Scope) -> Scope:
    """As it came to the node that passed it on."""
    sender = next((value.decode() for name, value in scope["headers"] if name == SENDER), None)
    return scope if sender is None else {**scope, "client": (sender, 0)}


async def _body(receive: Receive, limit: int) -> bytes:
    """All of it, or more than ``limit`` bytes of it."""
    body, more = b"", True
    while more and len(body) <= limit:
        message = await receive()
        body += bytes(message.get("body", b""))
        more = bool(message.get("more_body"))
    return body


def _again(body: bytes) -> Receive:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
