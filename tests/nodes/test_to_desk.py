"""What a node does with a request for the desk before anybody has signed in."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from poc_server.neighbours.to_desk import ToDesk

LIMIT = 1_000
NOBODY = "http://127.0.0.1:1"  # no desk answers there


class Here:
    """The API of this node; it notes what comes to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])


async def ask(path: str, chunks: list[bytes]) -> tuple[list[bytes], int]:
    """What came to this node's API, and how many of the chunks were read."""
    here, read = Here(), 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": chunks[read - 1], "more_body": read < len(chunks)}

    async def send(_: Message) -> None:
        """Nobody reads the answer."""

    to_desk = ToDesk(here, lambda: NOBODY, LIMIT)
    scope: dict[str, Any] = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b""}
    await to_desk(scope, receive, send)
    await to_desk.aclose()
    return here.bodies, read


@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v1/broadcasts/b/end", "/api/v1/cap"])
async def test_a_request_whose_desk_is_just_going_is_served_here_with_all_it_said(path: str) -> None:
    assert await ask(path, [b"x" * (LIMIT - 1), b"y"]) == ([b"x" * (LIMIT - 1) + b"y"], 2)


async def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    (body,), read = await ask("/api/v1/cap", [b"x" * (LIMIT + 1)] + [b"x" * LIMIT] * 100)
    assert (len(body), read) == (LIMIT + 1, 1)
