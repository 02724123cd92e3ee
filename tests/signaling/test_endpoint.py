"""The server's end of a WebSocket, over real sockets."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from signaling import limits
from signaling.connection import Connection, frame
from signaling.endpoint import Endpoint
from signaling.messages import Ok, Ping, decode_server, encode

pytestmark = pytest.mark.wire
UPGRADE = (
    "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    f"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: {limits.SUBPROTOCOL}\r\n\r\n"
).encode()


class Echo:
    """Answers every message with ok and remembers what happened."""

    def __init__(self, connection: Connection, house: House) -> None:
        self.connection, self.house = connection, house
        house.connections.append(connection)

    def received(self, message: Any) -> None:
        if isinstance(message, Ping):
            self.connection.send(Ok(id=message.id))
        self.house.received.append(message)

    def closed(self) -> None:
        self.house.closed.set()


class House:
    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.received: list[Any] = []
        self.closed = asyncio.Event()
        self.endpoint = Endpoint(lambda connection: Echo(connection, self))
        self.port = 0

    def client(self, path: str = "/ws", **options: Any) -> connect:
        options.setdefault("subprotocols", [limits.SUBPROTOCOL])
        return connect(f"ws://127.0.0.1:{self.port}{path}", **options)

    async def greeted(self) -> ClientConnection:
        client = await self.client()
        await client.send('{"type":"hello","id":"h","token":"t"}')
        return client


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    server = await asyncio.get_running_loop().create_server(house.endpoint.protocol, "127.0.0.1", 0)
    house.port = server.sockets[0].getsockname()[1]
    yield house
    house.endpoint.stop()
    server.close()
    await server.wait_closed()


async def test_a_request_is_answered_with_its_id(house: House) -> None:
    client = await house.greeted()
    await client.send(encode(Ping(id="7")).decode())
    assert decode_server(await client.recv()) == Ok(id="7")
    await client.close()


async def test_small_messages_are_not_kept_back(house: House) -> None:
    client = await house.greeted()
    await client.send(encode(Ping(id="7")).decode())
    await client.recv()
    connected = house.connections[0]._transport.get_extra_info("socket")
    assert connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    await client.close()


async def test_what_a_person_waits_for_is_followed_by_empty_pongs(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(UPGRADE)
    async with asyncio.timeout(30):
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
        connection = house.connections[0]
        connection.send(Ok(id="7"))
        connection.urge()
        answer = frame(Ok(id="7"))
        assert await reader.readexactly(len(answer)) == answer
        assert await reader.readexactly(2 * len(limits.FOLLOW_S)) == b"\x8a\x00" * len(limits.FOLLOW_S)
    writer.close()


async def test_a_fragmented_message_is_one_message(house: House) -> None:
    client = await house.greeted()
    await client.send(['{"type":"pi', 'ng","id":', '"7"}'])
    assert decode_server(await client.recv()) == Ok(id="7")
    await client.close()


async def test_another_path_is_not_found(house: House) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await house.client("/elsewhere")
    assert refused.value.response.status_code == 404


async def test_a_client_without_the_subprotocol_is_turned_away(house: House) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await house.client(subprotocols=None)
    assert refused.value.response.status_code == 400


async def test_a_draining_server_takes_no_new_client(house: House) -> None:
    house.endpoint.accepting = False
    with pytest.raises(InvalidStatus) as refused:
        await house.client()
    assert refused.value.response.status_code == 503


async def test_a_message_at_the_size_limit_is_answered_and_one_byte_more_closes(house: House) -> None:
    client = await house.greeted()
    text = '{"type":"ping","id":"7"}'
    await client.send(text.ljust(limits.MAX_MESSAGE_BYTES))
    assert decode_server(await client.recv()) == Ok(id="7")
    await client.send(text.ljust(limits.MAX_MESSAGE_BYTES + 1))
    with pytest.raises(ConnectionClosed) as closed:
        await client.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == limits.CLOSE_TOO_LARGE
    await asyncio.wait_for(house.closed.wait(), 5)


async def test_binary_is_refused_and_the_socket_lives_on(house: House) -> None:
    client = await house.greeted()
    await client.send(b"\x00\x01")
    assert decode_server(await client.recv()).code == "bad_message"
    await client.send('{"type":"ping","id":"8"}')
    assert decode_server(await client.recv()) == Ok(id="8")
    await client.close()


@pytest.mark.parametrize(
    ("first", "again"), [(b"", b"\x89\x80"), (b"", b"\x8a\x80"), (b"", b"\x82\x80"), (b"\x01\x80\0\0\0\0", b"\x00\x80")]
)
async def test_a_flood_of_empty_frames_is_cut_off_before_the_half_of_it_is_read(
    house: House, first: bytes, again: bytes
) -> None:
    """Pings, pongs, binary messages, parts of a message without end: of one who has not even said hello."""
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(UPGRADE)
    async with asyncio.timeout(30):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(first + (again + b"\0\0\0\0") * 20_000)
        said = b""
        while not (closed := re.search(rb"\x88\x02(\x11[\x33\x4d])", said)):
            piece = await reader.read(4_096)
            assert piece, "it was cut off without a word"
            said += piece
    assert int.from_bytes(closed[1], "big") in (limits.CLOSE_FORBIDDEN, limits.CLOSE_TOO_FAST)
    assert said.count(b"\x8a\x00") < 1_000
    writer.transport.abort()


async def test_bytes_that_are_no_http_end_the_socket_quietly(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(b"\x16\x03\x01 not http at all\r\n\r\n")
    assert await asyncio.wait_for(reader.read(), 10) is not None
    writer.close()
    assert not house.connections


async def test_a_client_that_stops_reading_is_aborted_in_time_and_others_go_on(house: House) -> None:
    client = await house.greeted()
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    reader._transport.pause_reading()  # type: ignore[attr-defined]
    deaf = house.connections[-1]
    house.closed.clear()
    message = frame(Ok(id="x" * 60))
    loop = asyncio.get_running_loop()
    began = loop.time()
    while not house.closed.is_set() and loop.time() - began < 10:
        deaf.write(message * 2_000)
        await asyncio.sleep(0)
        await client.send('{"type":"ping","id":"1"}')
        assert decode_server(await client.recv()) == Ok(id="1")
        await asyncio.sleep(0.05)
    assert house.closed.is_set()
    assert house.endpoint.aborted == 1
    writer.transport.abort()
    await client.close()


async def test_a_client_that_stops_reading_is_aborted_by_time_however_little_waits_and_a_slow_one_is_not(
    house: House,
) -> None:
    """Each has far less unread than the bound; one reads a little now and then, the other nothing."""
    (slow, slow_side), (deaf, deaf_side) = [await narrow(house) for _ in range(2)]
    waiting = frame(Ok(id="x" * 60)) * 500
    for side in (slow_side, deaf_side):
        side.write(waiting)
        assert 0 < side._transport.get_write_buffer_size() < limits.SEND_BUFFER_BYTES
    loop = asyncio.get_running_loop()
    began = loop.time()
    while deaf_side in house.endpoint.connections:
        assert loop.time() - began < 10
        await loop.sock_recv(slow, 512)
        slow_side.write(waiting[:512])
        await asyncio.sleep(0.05)
    assert loop.time() - began > limits.SEND_STALL_S / 2, "a moment without reading is nobody's end"
    assert slow_side in house.endpoint.connections, "it reads, and always something waits for it"
    assert slow_side._transport.get_write_buffer_size()
    assert house.endpoint.aborted == 1
    for end in (slow, deaf):
        end.close()


async def narrow(house: House) -> tuple[socket.socket, Connection]:
    """Both ends of a client whose socket holds next to nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2_048)
    client.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", house.port))
    await loop.sock_sendall(client, UPGRADE)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += await loop.sock_recv(client, 1_000)
    side = house.connections[-1]
    side._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2_048)
    return client, side


async def test_closing_all_is_not_held_up_by_one_that_does_not_answer(house: House) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
    writer.write(UPGRADE)
    await reader.readuntil(b"\r\n\r\n")
    house.endpoint.close_all(limits.CLOSE_GOING_AWAY)
    await asyncio.wait_for(house.closed.wait(), limits.SEND_STALL_S + 2)
    writer.transport.abort()
