"""Voice between nodes: a connection of its own that speaks just enough of Redis's protocol to publish and to hear.

redis-py spends 40–100 µs on each message it hears; a node hears thousands a second. Here one costs a few. Nothing is
waited for and nothing is sent twice: what does not get through at once is old by the time it could.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

from redis.asyncio.connection import SSLConnection, parse_url

AGAIN_S = 0.25
MESSAGE = b">3\r\n$7\r\nmessage\r\n$"
Heard = Callable[[bytes, bytes], None]


class VoiceLine(asyncio.Protocol):
    """Connects and connects again until it is closed.

    Args:
        url: of Redis.
        queue: packets that may wait to be sent; beyond it the newest is dropped and counted.
        heard: ``(channel, packet)``, called on the loop.

    Attributes:
        sent, received, dropped: packets.
    """

    def __init__(self, url: str, queue: int, heard: Heard) -> None:
        self._target = cast("dict[str, Any]", parse_url(url))
        self._queue = queue
        self._heard = heard
        self._channels: set[bytes] = set()
        self._waiting: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._ready = False
        self._paused = False
        self._received = bytearray()
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.sent = self.received = self.dropped = 0

    # --- what nodes do -----------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Connect, and stay so."""
        self._task = asyncio.get_running_loop().create_task(self._keep(), name="voice-line")

    async def aclose(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._transport is not None:
            self._transport.abort()

    def publish(self, channel: bytes, packet: bytes) -> None:
        """Send one packet to all who hear ``channel``; with all of this turn of the loop in one write."""
        if not self._ready or len(self._waiting) >= self._queue or self._paused:
            self.dropped += 1
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(_command(b"PUBLISH", channel, packet))

    def subscribe(self, channel: bytes) -> None:
        """Hear a channel from now on."""
        if channel not in self._channels:
            self._channels.add(channel)
            self._write(_command(b"SUBSCRIBE", channel))

    def unsubscribe(self, channel: bytes) -> None:
        """Hear it no more."""
        if channel in self._channels:
            self._channels.discard(channel)
            self._write(_command(b"UNSUBSCRIBE", channel))

    # --- asyncio -----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello in protocol 3, in which one connection may both publish and hear."""
        self._transport = cast("asyncio.Transport", transport)
        self._received.clear()
        hello = [b"HELLO", b"3"]
        password = self._target.get("password")
        if password:
            hello += [b"AUTH", str(self._target.get("username") or "default").encode(), str(password).encode()]
        self._ready, self._paused = True, False
        # How many heard a packet is of no use; without answers this node is not woken for each it sends.
        self._write(_command(*hello) + _command(b"CLIENT", b"REPLY", b"OFF"))
        for channel in self._channels:
            self._write(_command(b"SUBSCRIBE", channel))

    def connection_lost(self, exc: Exception | None) -> None:
        """Another will come."""
        self._transport, self._ready = None, False
        self._waiting.clear()
        self._lost.set()

    def pause_writing(self) -> None:
        """Redis reads too slowly: voice is dropped, not kept."""
        self._paused = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False

    def data_received(self, data: bytes) -> None:
        """Messages of channels go on; whatever else is said is skipped."""
        self._received += data
        received, at = bytes(self._received), 0
        try:
            while at < len(received):
                if received.startswith(MESSAGE, at):
                    channel, at_packet = _bulk(received, at + len(MESSAGE) - 1)
                    packet, at = _bulk(received, at_packet)
                    self.received += 1
                    self._heard(channel, packet)
                else:
                    at = _skip(received, at)
        except _Incomplete:
            pass
        except ValueError:
            self._abort()
        del self._received[:at]

    # --- private -----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        self.sent += len(waiting)
        self._write(b"".join(waiting))

    def _write(self, data: bytes) -> None:
        if self._transport is not None and data:
            self._transport.write(data)

    def _abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        target = self._target
        ssl = issubclass(target["connection_class"], SSLConnection) if "connection_class" in target else False
        while True:
            self._lost.clear()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await loop.create_connection(
                        lambda: self, target.get("host", "localhost"), target.get("port", 6379), ssl=ssl or None
                    )
                await self._lost.wait()
            await asyncio.sleep(AGAIN_S)


class _Incomplete(Exception):
    """The rest has yet to come."""


def _command(*words: bytes) -> bytes:
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%b\r\n" % (len(word), word) for word in words)


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(b"\r\n", at)
    if end < 0:
        raise _Incomplete
    return data[at:end], end + 2


def _bulk(data: bytes, at: int) -> tuple[bytes, int]:
    """The text that begins with its ``$`` at ``at``, and where the next thing begins."""
    length, begin = _line(data, at + 1)
    end = begin + int(length)
    if len(data) < end + 2:
        raise _Incomplete
    return data[begin:end], end + 2


def _skip(data: bytes, at: int) -> int:
    """Where the next reply begins. Raises ValueError on what is none."""
    head, after = _line(data, at)
    kind, rest = head[:1], head[1:]
    if kind in b"+-:_#,(":
        return after
    if kind in b"$=!":
        return after if int(rest) < 0 else _bulk(data, at)[1]
    if kind in b"*>~%|":
        for _ in range(int(rest) * (2 if kind in b"%|" else 1)):
            after = _skip(data, after)
        return after
    raise ValueError(kind)
