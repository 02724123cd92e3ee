"""The server's end of one WebSocket: an asyncio protocol around the public sans-I/O core of ``websockets``.

No task and no queue per connection: input is delivered synchronously, output is written at once. What keeps a slow
client from hurting others is the bound on its write buffer: past it, or when it reads nothing, the socket is aborted.
A message for many is framed once and the same bytes are written to each (server frames carry no mask, RFC 6455 §5.1).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
from collections.abc import Callable
from typing import Any, Protocol, cast
from urllib.parse import parse_qs, urlsplit

from pydantic import BaseModel
from websockets.exceptions import InvalidState, ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from groups.vocabulary import Refusal
from signaling import limits, session
from signaling.messages import Error, encode
from signaling.passing import PASSED_ON, Address, Passage, ask
from signaling.words import Language, refusal

SWEEP_S = 0.5
"""So often it is looked at whether those who read slowly read at all."""
STALLED_SWEEPS = round(limits.SEND_STALL_S / SWEEP_S) - 1
"""The first one that finds a client still may come a whole sweep after it stopped."""
READ_AT_ONCE = 4_096
"""Bytes taken apart before what they hold is judged: hundreds of frames without content at most, a few milliseconds."""
TCP_THIN_LINEAR_TIMEOUTS = 16
"""Linux' number of the option (tcp(7)); Python has no name for it."""

_quiet = logging.getLogger("poc.websocket")
_quiet.addHandler(logging.NullHandler())
_quiet.propagate = False  # a stranger must not be able to drive the log


def frame(message: BaseModel) -> bytes:
    """A message as the bytes of one WebSocket text frame, to be given to any number of `Connection.write`."""
    return Frame(Opcode.TEXT, encode(message)).serialize(mask=False)


def _hurry(connected: socket.socket | None) -> None:
    """Let small messages go out at once, and repeat lost ones at even intervals instead of ever longer ones."""
    if connected is None or connected.family not in (socket.AF_INET, socket.AF_INET6):
        return
    # Nagle's algorithm would keep a grant back till what was said before it is acknowledged: a round trip, or for ever.
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            connected.setsockopt(socket.IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, 1)


class Handler(Protocol):
    """What a connection speaks to. Every call is synchronous, on the loop."""

    def received(self, message: Any) -> None:
        """A valid message after (or being) the greeting."""

    def closed(self) -> None:
        """The socket is gone; called once."""


class House(Protocol):
    """Whose sockets they are (`signaling.endpoint.Endpoint`)."""

    path: str
    accepting: bool
    connections: set[Connection]
    slow: set[Connection]
    aborted: int
    handler: Callable[[Connection], Handler]

    def clock(self) -> float:
        """Seconds on the loop's clock."""

    def served_elsewhere(self, connection: Connection, passage: Passage) -> None:
        """A client of its own is another node's from now on."""

    def passage_ended(self, passage: Passage) -> None:
        """It is over."""


class Connection(asyncio.Protocol):
    """One client's socket.

    Attributes:
        group: the one its user will talk in, as the client said when it asked for the socket; "" when it did not.
        settled: it is served here from now on, wherever its group is.
        fixed: it stays here for good: it came by the node's own port, or asked to.
    """

    def __init__(self, endpoint: House, *, settled: bool = False) -> None:
        self.endpoint = endpoint
        self.group = ""
        self.settled = self.fixed = settled
        self.language: Language = "zh-CN"
        self._ws = ServerProtocol(
            subprotocols=[Subprotocol(limits.SUBPROTOCOL)], max_size=limits.MAX_MESSAGE_BYTES, logger=_quiet
        )
        self._handler: Handler | None = None
        self._state: session.SessionState | None = None
        self._fragments: list[bytes] = []
        self._opening: bytearray | None = bytearray()
        """All it sent, for another node to hear, until it is settled where it is served."""
        self._held: list[Frame] | None = None
        """What it sent while another node was asked."""
        self._asking: asyncio.Task[None] | None = None
        self._shunned = False
        """It is closed for what it sent, or how fast: nothing else of it is looked at."""
        self.due_at = 0.0
        """When `tick` has something to do, on the loop's clock."""
        self._written = 0
        self._left = 0
        self._still = 0
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)

    # --- asyncio ---------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The upgraded (or plain) TCP connection is ours from now on."""
        self._transport = cast("asyncio.Transport", transport)
        _hurry(transport.get_extra_info("socket"))
        self.due_at = self.endpoint.clock() + limits.HELLO_TIMEOUT_S
        self.endpoint.connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Bytes of the peer: the upgrade request first, frames after."""
        if self._opening is not None:
            self._opening += data
            if len(self._opening) > limits.MAX_MESSAGE_BYTES:
                self._settle()
        for start in range(0, len(data), READ_AT_ONCE):
            if self._shunned:
                return
            self._ws.receive_data(data[start : start + READ_AT_ONCE])
            for event in self._ws.events_received():
                if isinstance(event, Request):
                    self._upgrade(event)
                else:
                    self._frame_received(cast("Frame", event))
            self._flush()

    def eof_received(self) -> None:
        """The peer will send nothing more."""
        self._ws.receive_eof()
        self._flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self.endpoint.connections.discard(self)
        self.endpoint.slow.discard(self)
        if self._asking is not None:
            self._asking.cancel()
        handler, self._handler = self._handler, None
        if handler is not None:
            handler.closed()

    # --- out -------------------------------------------------------------------------------------------------------

    @property
    def open(self) -> bool:
        """Whether messages can still be written."""
        return self._state is not None and self._ws.state is State.OPEN

    def send(self, message: BaseModel) -> None:
        """Write one message; on a socket that is closing it is dropped."""
        self.write(frame(message))

    def write(self, framed: bytes) -> None:
        """Write a message that `frame` made; aborts a client that leaves too much unread."""
        if self._ws.state is not State.OPEN or self._state is None:
            return
        if self._put(framed) > limits.SEND_BUFFER_BYTES:
            self._give_up()

    def _put(self, data: bytes) -> int:
        """Write; how many bytes wait then because the client does not read them as fast."""
        self._written += len(data)
        self._transport.write(data)
        waiting = self._transport.get_write_buffer_size()
        if waiting and self not in self.endpoint.slow:
            self.endpoint.slow.add(self)
            self._left, self._still = self._written - waiting, 0
        return waiting

    def watch(self) -> None:
        """Called every `SWEEP_S` while bytes wait: the end of a client of whose bytes none left for `SEND_STALL_S`.

        Those of one that is merely slow leave one by one. Counted in sweeps: while the loop itself stands still
        nobody's bytes leave.
        """
        waiting = self._transport.get_write_buffer_size()
        left = self._written - waiting
        self._still = self._still + 1 if left == self._left else 0
        self._left = left
        if not waiting:
            self.endpoint.slow.discard(self)
        elif self._still >= STALLED_SWEEPS:
            self._give_up()

    def _give_up(self) -> None:
        self.endpoint.aborted += 1
        self.abort()

    def urge(self) -> None:
        """A person waits for what was written last: let two empty pongs follow it (unsolicited, RFC 6455 §5.5.3).

        A lone segment that is lost on the way is repeated only after a timeout of 0.3 s and more; one that others
        follow is repeated as soon as those are acknowledged, after one round trip (RFC 8985).
        """
        loop = asyncio.get_running_loop()
        for wait in limits.FOLLOW_S:
            loop.call_later(wait, self._follow)

    def _follow(self) -> None:
        if self.open:
            self._ws.send_pong(b"")
            self._flush()

    def refuse(self, code: Refusal, request: str | None = None, retry_after_ms: int | None = None) -> None:
        """Answer a request with an error in the client's language."""
        self.send(Error(id=request, code=code, message=refusal(code, self.language), retry_after_ms=retry_after_ms))

    def close(self, code: int) -> None:
        """Begin the closing handshake; the socket is aborted if the peer does not finish it."""
        if self._ws.state is State.OPEN:
            self._ws.send_close(code)
            self._flush()
            asyncio.get_running_loop().call_later(limits.SEND_STALL_S, self.abort)

    def abort(self) -> None:
        """Drop the socket now, unsent bytes and all."""
        self._transport.abort()

    # --- served elsewhere ------------------------------------------------------------------------------------------

    def pass_on(self, to: Address, otherwise: Callable[[], None]) -> None:
        """Let another node serve this client, which notices nothing. To be called for its greeting only.

        ``otherwise``: that node does not take it in, so it is to be greeted here.
        """
        if self._opening is None or self.settled:
            otherwise()
            return
        self._held = []
        self._transport.pause_reading()
        self._asking = asyncio.get_running_loop().create_task(self._ask(to, otherwise))

    async def _ask(self, to: Address, otherwise: Callable[[], None]) -> None:
        try:
            node = await ask(to, self._opened()[0])
        except OSError:
            self._stay(otherwise)
            return
        if self._opening is None or not self.open:  # it said more meanwhile than is kept, or is closed
            node.abort()
            self._stay(otherwise)
            return
        passage = Passage(self._transport, node, self.endpoint.passage_ended)
        self.endpoint.served_elsewhere(self, passage)
        passage.say(self._opened()[1])
        self._transport.resume_reading()

    def _opened(self) -> tuple[bytes, bytes]:
        """Its request without the empty line, and what it said since."""
        request, _, said = bytes(self._opening or b"").partition(b"\r\n\r\n")
        return request, said

    def _stay(self, otherwise: Callable[[], None]) -> None:
        held, self._held, self._asking = self._held or [], None, None
        self._settle()
        self._transport.resume_reading()
        otherwise()
        for event in held:
            self._frame_received(event)
        self._flush()

    def _settle(self) -> None:
        """It is served here."""
        self.settled, self._opening = True, None

    # --- in --------------------------------------------------------------------------------------------------------

    def _upgrade(self, request: Request) -> None:
        response = self._ws.accept(request)
        wanted = [p.strip() for p in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        if response.status_code != 101:
            self._ws.send_response(response)
        elif request.path.split("?", 1)[0] != self.endpoint.path:
            self._ws.send_response(self._ws.reject(404, "There is no such endpoint.\n"))
        elif limits.SUBPROTOCOL not in wanted:
            self._ws.send_response(self._ws.reject(400, f"Subprotocol {limits.SUBPROTOCOL} is required.\n"))
        elif not self.endpoint.accepting:
            self._ws.send_response(self._ws.reject(503, "The server is draining.\n"))
        else:
            self._ws.send_response(response)
            asked = parse_qs(urlsplit(request.path).query)
            self.group = asked.get("group", [""])[0]
            passed_on = PASSED_ON in request.headers
            self.fixed = "here" in asked or (self.fixed and not passed_on)
            if self.settled or self.fixed or passed_on:
                self._settle()
            self._state = session.opened(self.endpoint.clock())
            self._handler = self.endpoint.handler(self)

    def _frame_received(self, event: Frame) -> None:
        if self._held is not None:
            self._held.append(event)
        elif event.opcode is Opcode.TEXT and event.fin:
            self._feed(session.Text(bytes(event.data)))
        elif event.opcode in (Opcode.TEXT, Opcode.CONT):
            self._fragments.append(bytes(event.data))
            if event.fin:
                whole, self._fragments = b"".join(self._fragments), []
                self._feed(session.Text(whole))
            else:
                self._feed(session.SignOfLife())
        elif event.opcode is Opcode.BINARY:
            self._feed(session.Binary())
        else:
            self._feed(session.SignOfLife())

    def _feed(self, given: session.Input) -> None:
        if self._state is None:
            return
        self._state, effects = session.handle(self._state, given, self.endpoint.clock())
        for effect in effects:
            match effect:
                case session.Deliver(message):
                    if self._handler is not None:
                        self._handler.received(message)
                    if self._held is None and self._opening is not None:
                        self._settle()
                case session.Refuse(code, request, wait):
                    self._settle()
                    self.refuse(code, request, wait)
                case session.SendPing():
                    self._ws.send_ping(b"")
                    self._flush()
                case session.Close(code):
                    self._shunned = self._shunned or code in (limits.CLOSE_TOO_FAST, limits.CLOSE_FORBIDDEN)
                    self.close(code)

    def tick(self) -> None:
        """Called when ``due_at`` has come: time-outs and pings."""
        if self._state is None:
            self.abort()
            return
        self._feed(session.Tick())
        self.due_at = session.due(self._state)

    def _flush(self) -> None:
        try:
            chunks = self._ws.data_to_send()
        except (InvalidState, ProtocolError):  # pragma: no cover - defensive: the core never raises here
            self.abort()
            return
        for chunk in chunks:
            if chunk:
                self._put(chunk)
            elif self._transport.can_write_eof():
                self._transport.write_eof()
        if self._ws.close_expected():
            asyncio.get_running_loop().call_later(limits.SEND_STALL_S, self.abort)
