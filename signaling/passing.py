"""A client that another node serves: its bytes go there and back through this one, which reads none of them.

The other node is asked first, as the client asked this one, and hears what the client said only when it took it in; so
one that is gone, stands still or refuses costs the client `limits.PASS_ON_S` at most, and it is served here.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass

from signaling import limits

PASSED_ON = "X-Poc-Passed-On"
"""Header of a request that comes from another node: it is not passed on again."""
_END = b"\r\n\r\n"
_TAKEN = b"HTTP/1.1 101 "
_MAX_ANSWER_BYTES = 16_384


@dataclass(frozen=True, slots=True)
class Address:
    """Where a node is reached by the others."""

    host: str
    port: int
    tls: bool = False


async def ask(address: Address, request: bytes) -> asyncio.Transport:
    """The connection to a node that took the client in. ``request``: the client's upgrade, without its empty line.

    Raises OSError when there is none, it refuses, or does not answer within `limits.PASS_ON_S`.
    """
    loop = asyncio.get_running_loop()
    context = ssl.create_default_context() if address.tls else None
    async with asyncio.timeout(limits.PASS_ON_S):
        transport, asked = await loop.create_connection(_Asked, address.host, address.port, ssl=context)
        try:
            transport.write(request + f"\r\n{PASSED_ON}: 1".encode() + _END)
            await asked.taken
        except BaseException:
            transport.abort()
            raise
    return transport


class _Asked(asyncio.Protocol):
    """The other node until it has answered."""

    def __init__(self) -> None:
        self.taken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer = b""

    def data_received(self, data: bytes) -> None:
        """Its answer; after that it says nothing until it was greeted."""
        self._answer += data
        if self.taken.done() or (_END not in self._answer and len(self._answer) < _MAX_ANSWER_BYTES):
            return
        if self._answer.startswith(_TAKEN):
            self.taken.set_result(None)
        else:
            self.taken.set_exception(ConnectionRefusedError("the other node does not take it in"))

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        if not self.taken.done():
            self.taken.set_exception(ConnectionResetError("the other node is gone"))


class Passage:
    """Both ways of a ``client`` that was taken in elsewhere. ``ended``: told once, when it is over."""

    def __init__(self, client: asyncio.Transport, node: asyncio.Transport, ended: Callable[[Passage], None]) -> None:
        self.client, self._node = client, node
        self._ended: Callable[[Passage], None] | None = ended
        client.set_protocol(_Way(self, client, node))
        node.set_protocol(_Way(self, node, client))
        # Whether a client reads too slowly is judged where it is served: little of what is said to it may lie here.
        client.set_write_buffer_limits(high=limits.PASSED_ON_BUFFER_BYTES)

    def say(self, data: bytes) -> None:
        """What the client had said before."""
        self._node.write(data)

    def close(self) -> None:
        """End it on both sides: the client may read what was said, and comes again; the node keeps its place."""
        ended, self._ended = self._ended, None
        if ended is None:
            return
        self.client.close()
        self._node.close()
        asyncio.get_running_loop().call_later(limits.SEND_STALL_S, self.abort)
        ended(self)

    def abort(self) -> None:
        """End it now."""
        self.client.abort()
        self._node.abort()


class _Way(asyncio.Protocol):
    """What comes from the other side goes to this one, as fast as it is taken here."""

    def __init__(self, passage: Passage, this: asyncio.Transport, other: asyncio.Transport) -> None:
        self._passage = passage
        self._this, self._other = this, other
        self._watch: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """On."""
        self._other.write(data)

    def pause_writing(self) -> None:
        """This side does not read as fast as the other speaks."""
        if not self._other.is_closing():
            self._other.pause_reading()
        self._look_again()

    def resume_writing(self) -> None:
        """It does again."""
        if self._watch is not None:
            self._watch.cancel()
        if not self._other.is_closing():
            self._other.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """One side is over, so is the other."""
        if self._watch is not None:
            self._watch.cancel()
        self._passage.close()

    def _look_again(self) -> None:
        waiting = self._this.get_write_buffer_size()
        self._watch = asyncio.get_running_loop().call_later(limits.SEND_STALL_S, self._stalled, waiting)

    def _stalled(self, before: int) -> None:
        """Of a side that is not read from nobody hears that it is gone: one that takes nothing is given up here too."""
        if self._this.get_write_buffer_size() >= before:
            self._passage.abort()
        else:
            self._look_again()
