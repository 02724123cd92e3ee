"""What a node does with a request for the desk before anybody has signed in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from poc_server.api.problems import unavailable
from poc_server.neighbours.desk.to_desk import MARK, SENDER, ToDesk

LIMIT = 1_000
SECRET = bytes(32)
NOBODY = "http://127.0.0.1:1"  # no desk answers there


class Here:
    """The API of this node; it notes what comes to it."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.senders: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.bodies.append((await receive())["body"])
        self.senders.append(scope["client"][0])


def request(path: str, headers: list[tuple[bytes, bytes]], address: str, method: str = "POST") -> dict[str, Any]:
    said = {"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""}
    return {**said, "client": (address, 50_000)}


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
    await to_desk(request(path, headers, "203.0.113.7", method), receive, send)
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


@pytest.mark.parametrize("claimed", [[], [(SENDER, b"198.51.100.1")]], ids=["as it came", "with a lie"])
async def test_what_is_passed_on_has_the_address_it_came_from(claimed: list[tuple[bytes, bytes]]) -> None:
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    async def nothing() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def answered(_: Message) -> None:
        pass

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        desk = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        first = ToDesk(Here(), unavailable, lambda: desk, SECRET, LIMIT)
        await first(request("/api/v1/cap", claimed, "203.0.113.7"), nothing, answered)
        await first.aclose()
    lines = [line.split(b": ", 1) for line in (await came).split(b"\r\n")[1:] if line]
    here = Here()
    second = ToDesk(here, unavailable, lambda: "", SECRET, LIMIT)
    headers = [(name.lower(), value) for name, value in lines]
    await second(request("/api/v1/cap", headers, "10.0.0.11"), nothing, answered)
    await second(request("/api/v1/cap", claimed, "203.0.113.8"), nothing, answered)
    await second.aclose()
    assert here.senders == ["203.0.113.7", "203.0.113.8"], "nobody but a node is believed"
