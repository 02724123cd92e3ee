"""What a node does with a request for the desk before anybody has signed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from poc_server.api.problems import unavailable
from poc_server.neighbours.to_desk import MARK, ToDesk

LIMIT = 1_000
SECRET = bytes(32)
NOBODY = "http://127.0.0.1:1"  # no desk answers there


class Here:
    """The API of this node; it notes what comes to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])


async def ask(
    path: str,
    chunks: list[bytes],
    desk: str = NOBODY,
    method: str = "POST",
    sent: list[Message] | None = None,
    mark: bytes | None = None,
) -> tuple[list[bytes], int]:
    """What came to this node's API, and how many of the chunks were read; ``sent`` gets what was answered for it."""
    here, read = Here(), 0

    async def receive() -> Message:
        nonlocal read
        read += 1
        return {"type": "http.request", "body": chunks[read - 1], "more_body": read < len(chunks)}

    async def send(message: Message) -> None:
        if sent is not None:
            sent.append(message)

    to_desk = ToDesk(here, unavailable, lambda: desk, SECRET, LIMIT, timeout_s=0.2)
    headers = [] if mark is None else [(MARK, mark)]
    scope: dict[str, Any] = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    await to_desk(scope, receive, send)
    await to_desk.aclose()
    return here.bodies, read


@pytest.mark.parametrize("path", ["/api/v1/alerts", "/api/v1/broadcasts/b/end", "/api/v1/cap"])
async def test_a_request_whose_desk_is_just_going_is_served_here_with_all_it_said(path: str) -> None:
    assert await ask(path, [b"x" * (LIMIT - 1), b"y"]) == ([b"x" * (LIMIT - 1) + b"y"], 2)


async def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    (body,), read = await ask("/api/v1/cap", [b"x" * (LIMIT + 1)] + [b"x" * LIMIT] * 100)
    assert (len(body), read) == (LIMIT + 1, 1)


@pytest.fixture
async def slow_desk() -> AsyncIterator[str]:
    """It takes what is asked and does not come to an answer."""
    over = asyncio.Event()

    async def take(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await over.wait()
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        over.set()


async def test_what_a_slow_desk_may_still_do_is_not_done_here_too(slow_desk: str) -> None:
    sent: list[Message] = []
    assert (await ask("/api/v1/alerts", [b"sos"], slow_desk, sent=sent))[0] == []
    assert sent[0]["status"] == 503
    assert json.loads(sent[1]["body"])["code"] == "unavailable"


@pytest.fixture
async def dying_desk() -> AsyncIterator[str]:
    """It takes what is asked and is gone before it says what came of it."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_what_a_desk_may_have_done_before_it_died_is_not_done_here_too(dying_desk: str) -> None:
    sent: list[Message] = []
    assert (await ask("/api/v1/alerts", [b"sos"], dying_desk, sent=sent))[0] == []
    assert sent[0]["status"] == 503
    assert (await ask("/api/v1/alerts", [b""], dying_desk, "GET"))[0] == [b""]


async def test_only_what_a_node_passed_on_is_decided_where_no_desk_is(slow_desk: str) -> None:
    own = SECRET.hex().encode()
    assert (await ask("/api/v1/alerts", [b"sos"], slow_desk, mark=own))[0] == [b"sos"]
    for strangers in (b"1", b"", own[:-1]):
        assert (await ask("/api/v1/alerts", [b"sos"], slow_desk, sent=[], mark=strangers))[0] == []


async def test_what_is_only_read_is_served_here_when_the_desk_is_slow(slow_desk: str) -> None:
    assert (await ask("/api/v1/alerts", [b""], slow_desk, "GET"))[0] == [b""]
