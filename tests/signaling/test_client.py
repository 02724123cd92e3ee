"""The client against a server of this test's own making, over a real socket."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.typing import Subprotocol

from groups.vocabulary import Refusal
from signaling.client import Client, Disconnected, RequestRefused
from signaling.limits import SUBPROTOCOL
from signaling.messages import (
    Bye,
    Error,
    FloorIdle,
    Hello,
    Limits,
    Ok,
    Person,
    Ping,
    Pong,
    Welcome,
    decode_client,
    encode,
)

pytestmark = pytest.mark.wire
Answerer = Callable[[ServerConnection, Any], Awaitable[None]]


def welcome(request: str) -> Welcome:
    return Welcome(
        id=request,
        user=Person(id="u1", name="张三"),
        roles=[],
        rights=[],
        groups=[],
        limits=Limits(message_bytes=65_536, messages_per_second=50, listening_expires_ms=5_000, resume_ms=60_000),
        ice_servers=[],
        slots=2,
        resume="r1",
        server_time_ms=0,
    )


@asynccontextmanager
async def server(answer: Answerer) -> AsyncIterator[str]:
    async def talk(socket: ServerConnection) -> None:
        async for text in socket:
            message = decode_client(text)
            if isinstance(message, Hello) and message.token == "good":
                await socket.send(encode(welcome(message.id)), text=True)
            else:
                await answer(socket, message)

    async with serve(talk, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as running:
        yield f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/ws"


async def say(socket: ServerConnection, *messages: Any) -> None:
    for message in messages:
        await socket.send(encode(message), text=True)


async def test_answers_are_matched_whatever_their_order_and_the_rest_are_events() -> None:
    held: list[Ping] = []

    async def answer(socket: ServerConnection, message: Ping) -> None:
        held.append(message)
        if len(held) == 2:
            await say(socket, FloorIdle(group="g"), *(Pong(id=m.id, server_time_ms=7) for m in reversed(held)))

    async with server(answer) as url, await Client.connect(url, "good") as client:
        assert client.welcome.user.name == "张三"
        first, second = Ping(id=client.next_id()), Ping(id=client.next_id())
        answers = await asyncio.gather(client.request(first), client.request(second))
        assert [a.id for a in answers] == [first.id, second.id]
        assert await client.event() == FloorIdle(group="g")


async def test_a_refusal_is_raised_with_its_code() -> None:
    async def answer(socket: ServerConnection, message: Any) -> None:
        await say(socket, Error(id=message.id, code=Refusal.TOO_FAST, message="slow down"))

    async with server(answer) as url, await Client.connect(url, "good") as client:
        with pytest.raises(RequestRefused) as refused:
            await client.request(Ping(id="x"))
        assert refused.value.code is Refusal.TOO_FAST


async def test_a_refused_hello_is_raised_by_connect() -> None:
    async def answer(socket: ServerConnection, message: Any) -> None:
        await say(socket, Error(id=message.id, code=Refusal.BAD_TOKEN, message="no"))
        await socket.close(4401)

    async with server(answer) as url:
        with pytest.raises(RequestRefused):
            await Client.connect(url, "stolen")


async def test_a_server_that_closes_ends_requests_and_events_with_its_last_word() -> None:
    async def answer(socket: ServerConnection, message: Any) -> None:
        await say(socket, Bye(code=Refusal.DRAINING, message="later", reconnect=True))
        await socket.close(1001)

    async with server(answer) as url, await Client.connect(url, "good") as client:
        with pytest.raises(Disconnected) as gone:
            await client.request(Ping(id="x"))
        assert gone.value.code == 1001
        assert [type(m) for m in [m async for m in client.events()]] == [Bye]
        with pytest.raises(Disconnected) as again:
            await client.send(Ping(id="y"))
        assert again.value.bye is not None
        assert again.value.bye.reconnect


async def test_what_the_client_does_not_understand_does_not_end_it() -> None:
    async def answer(socket: ServerConnection, message: Any) -> None:
        await socket.send('{"type":"tomorrow","id":"9"}')
        await socket.send("nonsense")
        await say(socket, Ok(id=message.id))

    async with server(answer) as url, await Client.connect(url, "good") as client:
        assert isinstance(await client.request(Ping(id="x")), Ok)
