"""Nobody is waited for without end: neither for what he asks, nor for him to read what he asked for."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from poc_server.serving import Connection

pytestmark = pytest.mark.wire
PART = b"GET / HTTP/1.1\r\nHost: here\r\n"
WHOLE = PART + b"\r\n"
LARGE = 8_000_000
"""More than the sockets of both sides hold."""


class Hasty(Connection):
    """Waits as long as a test does."""

    head_s = 0.2
    read_s = 1.0


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    body = b"x" * (LARGE if scope["path"] == "/large" else 1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(answering, lifespan="off", log_config=None, timeout_keep_alive=30)
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: Hasty(config, state, {}), "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize("said", [b"", b"GE", PART], ids=["nothing", "a word", "half"])
@pytest.mark.parametrize("before", [False, True], ids=["first", "again"])
async def test_who_does_not_say_what_he_wants_is_hung_up_on(port: int, before: bool, said: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    if before:
        writer.write(WHOLE)
        await asyncio.wait_for(reader.readuntil(b"\r\n\r\nx"), 10)
        said = said or b"G"  # who says nothing more may rest
    writer.write(said)
    await asyncio.wait_for(hung_up(reader), 10)
    writer.close()


async def hung_up(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionResetError):
        assert not await reader.read()


async def test_who_asked_and_was_answered_may_rest_and_ask_again(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for _ in range(2):
        writer.write(WHOLE)
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\nx"), 10)
        await asyncio.sleep(2 * Hasty.head_s)
    writer.close()


async def test_who_reads_nothing_is_hung_up_on_and_who_reads_slowly_is_not(port: int) -> None:
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    deaf.settimeout(10)
    deaf.connect(("127.0.0.1", port))
    reader, slow = await asyncio.open_connection("127.0.0.1", port, limit=LARGE // 20)
    large = WHOLE.replace(b"/", b"/large", 1)
    deaf.sendall(large)
    slow.write(large)
    await reader.readuntil(b"\r\n\r\n")
    left = LARGE
    while left:
        part = await asyncio.wait_for(reader.read(LARGE // 20), 10)
        assert part, "hung up on, though he reads"
        left -= len(part)
        await asyncio.sleep(Hasty.read_s / 10)
    slow.close()
    assert await asyncio.to_thread(read_to_the_end, deaf) < LARGE


def read_to_the_end(deaf: socket.socket) -> int:
    """How many bytes he finds who reads on at last."""
    with deaf:
        return sum(map(len, iter(partial(deaf.recv, 65_536), b"")))
