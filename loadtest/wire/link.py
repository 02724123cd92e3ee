"""The signaling socket of one phone: `websockets`' protocol without I/O on a plain TCP socket.

A task and a transport per connection would be the larger part of a phone's cost; here a message is one ``recvmsg``, and
comes with the time at which the kernel received it.
"""

from __future__ import annotations

import asyncio
import os
import select
import socket
import struct
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pydantic import BaseModel
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from loadtest.wire.reactor import Reactor, receive, with_timestamps
from signaling.limits import MAX_TOLD_BYTES, SUBPROTOCOL
from signaling.messages import Refused, decode_server, encode

_READ: Final = 65_536
_TCP_INFO_BYTES: Final = struct.Struct("@QQII")
_TCP_INFO_AT: Final = 120
IP_TCP_BYTES: Final = 52
"""IPv4 and TCP headers with the timestamp option, as each segment of a Linux connection carries them."""


class LinkFailed(Exception):
    """The socket could not be opened, or the server refused the upgrade."""


class Link:
    """One WebSocket. ``on_message(message, receive time in ns)`` gets every message of the server's models.

    ``on_close(code)`` is called once when the server has closed, or the connection broke (1006).
    """

    def __init__(self, reactor: Reactor, on_message: Callable[[Any, int], None], on_close: Callable[[int], None]):
        self._loop = asyncio.get_running_loop()
        self._reactor = reactor
        self._on_message = on_message
        self._on_close = on_close
        self._pending = bytearray()
        self._closed = self._writing = False
        self.unreadable = 0
        """Messages this fleet has no model for."""

    async def open(self, url: str) -> None:
        """Connect and upgrade. Raises `LinkFailed`."""
        parts = urlsplit(url)
        if parts.scheme != "ws":
            raise LinkFailed("the fleet speaks plain ws://: TLS ends in a proxy and would be measured with it")
        host, port = parts.hostname or "", parts.port or 80
        try:
            family, _, _, _, address = (await self._loop.getaddrinfo(host, port, type=socket.SOCK_STREAM))[0]
            self._socket = socket.socket(family, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._loop.sock_connect(self._socket, address)
        except socket.gaierror as problem:
            raise LinkFailed(f"{host}: {problem.strerror}") from None
        except OSError as problem:
            raise LinkFailed(f"{host}:{port}: {os.strerror(problem.errno or 0)}") from None
        self.host = str(self._socket.getpeername()[0])
        self._protocol = ClientProtocol(
            parse_uri(url), subprotocols=[Subprotocol(SUBPROTOCOL)], max_size=MAX_TOLD_BYTES
        )
        self._upgraded: asyncio.Future[None] = self._loop.create_future()
        with_timestamps(self._socket)
        self._reactor.add(self._socket.fileno(), self._ready)
        self._protocol.send_request(self._protocol.connect())
        self._flush()
        await self._upgraded

    @property
    def is_open(self) -> bool:
        """Whether a message can be sent."""
        return not self._closed and self._protocol.state is State.OPEN

    def send(self, message: BaseModel) -> None:
        """Send one message. On a closed link nothing happens: `on_close` has told."""
        if self.is_open:
            self._protocol.send_text(encode(message))
            self._flush()

    def close(self) -> None:
        """Say goodbye and do not wait."""
        if self._closed:
            return
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(1000)
            self._flush()
        self._end()

    def vanish(self) -> None:
        """Break the connection without a word."""
        self._end()

    def wire_bytes(self) -> tuple[int, int]:
        """Bytes received and sent so far with IP and TCP headers, from the kernel's TCP_INFO."""
        info = self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        acknowledged, received, segments_out, segments_in = _TCP_INFO_BYTES.unpack_from(info, _TCP_INFO_AT)
        return received + segments_in * IP_TCP_BYTES, acknowledged + segments_out * IP_TCP_BYTES

    def _ready(self, events: int) -> None:
        if events & select.EPOLLOUT:
            self._write()
        if self._closed or not events & ~select.EPOLLOUT:
            return
        try:
            data, stamp = receive(self._socket, _READ)
        except BlockingIOError:
            return
        except OSError:
            self._broken()
            return
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
        for event in self._protocol.events_received():
            self._take(event, stamp)
            if self._closed:
                return
        self._flush()
        if not data or self._protocol.state is State.CLOSED:
            self._broken()

    def _take(self, event: Any, stamp: int) -> None:
        if not isinstance(event, Frame):
            problem = self._protocol.handshake_exc
            if problem is not None:
                self._fail(f"the upgrade was refused: {problem}")
            elif not self._upgraded.done():
                self._upgraded.set_result(None)
        elif event.opcode is Opcode.TEXT:
            try:
                message = decode_server(bytes(event.data))
            except Refused:
                self.unreadable += 1
                return
            self._on_message(message, stamp)

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            self._pending += data
        if self._pending and not self._closed:
            self._write()

    def _write(self) -> None:
        try:
            sent = self._socket.send(self._pending)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._broken()
            return
        del self._pending[:sent]
        if bool(self._pending) is not self._writing:
            self._writing = bool(self._pending)
            self._reactor.watch_writing(self._socket.fileno(), self._writing)

    def _broken(self) -> None:
        if self._closed:
            return
        code = self._protocol.close_code or 1006
        self._fail(f"closed with {code}")
        self._end()
        self._on_close(code)

    def _fail(self, why: str) -> None:
        if not self._upgraded.done():
            self._upgraded.set_exception(LinkFailed(why))

    def _end(self) -> None:
        if not self._closed:
            self._closed = True
            self._reactor.remove(self._socket.fileno())
            self._socket.close()
