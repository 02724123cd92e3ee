"""A client that another node serves, over real sockets: it notices nothing, whatever becomes of that node."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from signaling import limits
from signaling.connection import Connection, frame
from signaling.endpoint import Endpoint
from signaling.messages import Hello, Ok, Ping, decode_server, encode
from signaling.passing import Address

pytestmark = pytest.mark.wire
HELLO = '{"type":"hello","id":"h","token":"t"}'
WITHIN_S = 30


class Greeter:
    """Answers with ok and its node's name. ``elsewhere``: where clients that said hello are served."""

    def __init__(self, node: OneNode, connection: Connection) -> None:
        self.node, self.connection = node, connection

    def received(self, message: Any) -> None:
        if isinstance(message, Hello) and self.node.elsewhere is not None:
            self.connection.pass_on(self.node.elsewhere, lambda: self.answer(message.id))
        else:
            self.answer(message.id)

    def answer(self, request: str) -> None:
        self.node.groups.append(self.connection.group)
        self.connection.send(Ok(id=f"{self.node.name}-{request}"))

    def closed(self) -> None:
        self.node.closed.set()


class OneNode:
    def __init__(self, name: str) -> None:
        self.name = name
        self.elsewhere: Address | None = None
        self.groups: list[str] = []
        self.closed = asyncio.Event()
        self.endpoint = Endpoint(lambda connection: Greeter(self, connection))
        self.port = 0

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.port)

    async def open(self) -> asyncio.Server:
        server = await asyncio.get_running_loop().create_server(self.endpoint.protocol, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def client(self) -> ClientConnection:
        return await connect(f"ws://127.0.0.1:{self.port}/ws?group=g1", subprotocols=[limits.SUBPROTOCOL])


async def said(client: ClientConnection) -> str:
    async with asyncio.timeout(WITHIN_S):
        message = decode_server(await client.recv())
    assert isinstance(message, Ok)
    return message.id


@pytest.fixture
async def nodes() -> AsyncIterator[tuple[OneNode, OneNode]]:
    """The first passes clients on to the second, which would pass them back."""
    here, there = OneNode("here"), OneNode("there")
    servers = [await here.open(), await there.open()]
    here.elsewhere, there.elsewhere = there.address, here.address
    yield here, there
    for node, server in zip((here, there), servers, strict=True):
        node.endpoint.stop()
        server.close()
    for server in servers:
        await server.wait_closed()


async def stands_still(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    """A node that is paused: its kernel takes connections, and that is all."""
    await asyncio.Event().wait()


async def refuses(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
    writer.close()


async def goes(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def test_a_client_is_served_by_the_other_node_and_asks_once(nodes: tuple[OneNode, OneNode]) -> None:
    here, there = nodes
    client = await here.client()
    await client.send(HELLO)
    assert await said(client) == "there-h"
    await client.send(encode(Ping(id="1")).decode())
    assert await said(client) == "there-1"
    assert (len(here.endpoint.passages), len(there.endpoint.connections)) == (1, 1)
    assert (here.groups, there.groups) == ([], ["g1", "g1"])
    await client.close()
    async with asyncio.timeout(WITHIN_S):
        await there.closed.wait()
    assert not here.endpoint.passages


async def test_what_a_client_says_behind_its_hello_is_not_lost(nodes: tuple[OneNode, OneNode]) -> None:
    client = await nodes[0].client()
    await asyncio.gather(client.send(HELLO), *(client.send(encode(Ping(id=str(n))).decode()) for n in range(20)))
    assert [await said(client) for _ in range(21)] == ["there-h", *(f"there-{n}" for n in range(20))]
    await client.close()


@pytest.mark.parametrize("other", [stands_still, refuses, goes])
async def test_a_node_that_does_not_take_it_in_costs_a_client_a_moment(
    nodes: tuple[OneNode, OneNode], other: Callable[..., Any]
) -> None:
    here = nodes[0]
    server = await asyncio.start_server(other, "127.0.0.1", 0)
    here.elsewhere = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    client = await here.client()
    await asyncio.gather(client.send(HELLO), client.send(encode(Ping(id="1")).decode()))
    assert [await said(client), await said(client)] == ["here-h", "here-1"]
    assert not here.endpoint.passages
    await client.close()
    server.close()


async def test_one_that_is_gone_is_not_asked_twice(nodes: tuple[OneNode, OneNode]) -> None:
    here = nodes[0]
    here.elsewhere = Address("127.0.0.1", 1)
    client = await here.client()
    await client.send(HELLO)
    assert await said(client) == "here-h"
    await client.close()


async def test_the_client_of_a_node_that_dies_is_told_by_its_socket(nodes: tuple[OneNode, OneNode]) -> None:
    here, there = nodes
    client = await here.client()
    await client.send(HELLO)
    await said(client)
    there.endpoint.stop()
    with pytest.raises(ConnectionClosed):
        await said(client)
    assert not here.endpoint.passages


async def test_a_node_that_drains_lets_those_go_whom_others_serve(nodes: tuple[OneNode, OneNode]) -> None:
    here, there = nodes
    clients = [await here.client() for _ in range(3)]
    for client in clients:
        await client.send(HELLO)
        await said(client)
    here.endpoint.let_go(2)
    assert len(here.endpoint.passages) == 1
    here.endpoint.close_all(limits.CLOSE_GOING_AWAY)
    for client in clients:
        with pytest.raises(ConnectionClosed):
            await said(client)
    assert not here.endpoint.passages
    async with asyncio.timeout(WITHIN_S):
        await there.closed.wait()


async def test_one_that_is_closed_while_another_node_is_asked_is_not_passed_on(nodes: tuple[OneNode, OneNode]) -> None:
    here = nodes[0]
    asked, answers = asyncio.Event(), asyncio.Event()

    async def takes_its_time(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        asked.set()
        await answers.wait()
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")

    server = await asyncio.start_server(takes_its_time, "127.0.0.1", 0)
    here.elsewhere = Address("127.0.0.1", server.sockets[0].getsockname()[1])
    client = await here.client()
    await client.send(HELLO)
    async with asyncio.timeout(WITHIN_S):
        await asked.wait()
        here.endpoint.close_all(limits.CLOSE_GOING_AWAY)
        answers.set()
        with pytest.raises(ConnectionClosed) as closed:
            await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == limits.CLOSE_GOING_AWAY
    assert not here.endpoint.passages
    server.close()


async def test_one_that_reads_nothing_is_given_up_where_it_is_served(nodes: tuple[OneNode, OneNode]) -> None:
    here, there = nodes
    client = await here.client()
    await client.send(HELLO)
    await said(client)
    client.transport.pause_reading()
    served = next(iter(there.endpoint.connections))
    to_client = next(iter(here.endpoint.passages)).client
    many = frame(Ok(id="1")) * 10_000
    async with asyncio.timeout(WITHIN_S):
        while not there.endpoint.aborted:
            served.write(many)
            await asyncio.sleep(0)
        await there.closed.wait()
        while here.endpoint.passages or to_client.get_write_buffer_size():  # noqa: ASYNC110 - what lies there is dropped
            await asyncio.sleep(0.05)
    assert to_client.is_closing()
    client.transport.abort()
