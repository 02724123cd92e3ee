"""A client of ``poc.v1`` over a WebSocket: requests are matched with their answers, all else is an event.

async with await Client.connect("ws://localhost:8080/ws", token) as client:
    selected = await client.request(Select(id=client.next_id(), group="patrol"))
    async for message in client.events():
        ...
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from groups.vocabulary import Refusal
from signaling.limits import DEFAULT_SLOTS, MAX_TOLD_BYTES, SUBPROTOCOL
from signaling.messages import Bye, ClientInfo, Error, Hello, Refused, Welcome, decode_server, encode
from signaling.messages.base import Message

ANSWER_TIMEOUT_S = 10.0
"""A request not answered by then has failed."""


class RequestRefused(Exception):
    """The server answered with an error; ``code`` is for programs, the text for people."""

    def __init__(self, error: Error) -> None:
        super().__init__(error.message)
        self.code = error.code
        self.error = error


class Disconnected(Exception):
    """The socket is closed. ``code`` is WebSocket's, ``bye`` what the server said last."""

    def __init__(self, code: int, bye: Bye | None) -> None:
        super().__init__(f"closed with {code}" + (f": {bye.code}" if bye else ""))
        self.code = code
        self.bye = bye


class Client:
    """One greeted connection. Made by `connect`; ``welcome`` is the server's answer."""

    welcome: Welcome

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[Any]] = {}
        self._events: asyncio.Queue[Any] = asyncio.Queue()
        self._bye: Bye | None = None
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def connect(
        cls,
        url: str,
        token: str,
        *,
        slots: int = DEFAULT_SLOTS,
        device: str | None = None,
        resume: str | None = None,
        client: ClientInfo | None = None,
    ) -> Client:
        """Open ``url``, say hello, wait for the welcome.

        Raises `RequestRefused` when the hello is refused, `Disconnected` when the server closes instead, OSError when
        it cannot be reached, TimeoutError after `ANSWER_TIMEOUT_S`.
        """
        socket = await connect(
            url,
            subprotocols=[Subprotocol(SUBPROTOCOL)],
            max_size=MAX_TOLD_BYTES,
            compression=None,
            open_timeout=ANSWER_TIMEOUT_S,
            proxy=None,
        )
        self = cls(socket)
        try:
            hello = Hello(
                id=self.next_id(),
                token=token,
                slots=slots,
                device=device,
                resume=resume,
                client=client or ClientInfo(),
            )
            self.welcome = await self.request(hello)
        except BaseException:
            await self.aclose()
            raise
        return self

    def next_id(self) -> str:
        """A request id this connection has not used."""
        return str(next(self._ids))

    async def send(self, message: Message) -> None:
        """Send a message that has no answer. Raises `Disconnected`."""
        try:
            await self._socket.send(encode(message), text=True)
        except ConnectionClosed:
            raise self._closed() from None

    async def request(self, message: Any) -> Any:
        """Send a message that carries an ``id`` and return what answers it.

        Raises `RequestRefused` for an error, `Disconnected`, or TimeoutError after `ANSWER_TIMEOUT_S`.
        """
        answer = asyncio.get_running_loop().create_future()
        self._waiting[message.id] = answer
        try:
            await self.send(message)
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                found = await answer
        finally:
            self._waiting.pop(message.id, None)
        if isinstance(found, Error):
            raise RequestRefused(found)
        return found

    async def event(self) -> Any:
        """The next message that answers no request. Raises `Disconnected` after the last one."""
        found = await self._events.get()
        if found is None:
            self._events.put_nowait(None)
            raise self._closed()
        return found

    async def events(self) -> AsyncIterator[Any]:
        """All messages that answer no request, until the connection ends."""
        while True:
            try:
                yield await self.event()
            except Disconnected:
                return

    async def aclose(self) -> None:
        """Close the connection cleanly. May be called again."""
        await self._socket.close()
        await self._reader

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._take(text)
        except ConnectionClosed:
            pass
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(self._closed())
            self._events.put_nowait(None)

    def _take(self, text: str | bytes) -> None:
        try:
            message = decode_server(text)
        except Refused as problem:
            # A newer server may say things this client has no model for.
            message = Error(id=problem.request, code=Refusal.UNKNOWN_TYPE, message="not understood by this client")
        if isinstance(message, Bye):
            self._bye = message
        answer = self._waiting.get(getattr(message, "id", None) or "")
        if answer is not None and not answer.done():
            answer.set_result(message)
        else:
            self._events.put_nowait(message)

    def _closed(self) -> Disconnected:
        return Disconnected(self._socket.close_code or 1006, self._bye)
