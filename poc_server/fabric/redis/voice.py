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

AGAIN_S = 0.1
PROBE_S = 1.0
MESSAGE = b">3\r\n$7\r\nmessage\r\n$"
SUBSCRIBED = b">3\r\n$9\r\nsubscribe\r\n"
Heard = Callable[[bytes, bytes], None]


class VoiceLine(asyncio.Protocol):
    """Connects and connects again until it is closed.

    Args:
        url: of Redis.
        queue: packets that may wait to be sent; beyond it the newest is dropped and counted.
        heard: ``(channel, packet)``, called on the loop.
        answer_s: Redis has at least so long for an answer; it is asked about once a second.

    Attributes:
        sent, received, dropped: packets.
        ready: connected, and certain to hear all that is published from now on.
        on_ready: told when that changes.
    """

    def __init__(self, url: str, queue: int, heard: Heard, answer_s: float = PROBE_S) -> None:
        self._target = cast("dict[str, Any]", parse_url(url))
        self._queue = queue
        self._heard = heard
        self._probe_s = max(PROBE_S, answer_s)
        self.ready = False
        self.on_ready: Callable[[bool], None] = lambda _: None
        self._unanswered = 0
        self._channels: set[bytes] = set()
        self._waiting: list[bytes] = []
        self._transport: asyncio.Transport | None = None
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
        if self._transport is None or len(self._waiting) >= self._queue or self._paused:
            self.dropped += 1
            return
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._flush)
        self._waiting.append(_command(b"PUBLISH", channel, packet))

    def subscribe(self, channel: bytes) -> None:
        """Hear a channel from now on."""
        if channel not in self._channels:
            self._channels.add(channel)
            self._ask(channel)

    def unsubscribe(self, channel: bytes) -> None:
        """Hear it no more."""
        if channel in self._channels:
            self._channels.discard(channel)
            self._write(_command(b"UNSUBSCRIBE", channel))

    def probe(self) -> None:
        """It may be a connection that leads nowhere any more: not ready until Redis answers on it."""
        if self._channels and not self._unanswered:
            self._ask(next(iter(self._channels)))
        self._judge()

    # --- asyncio -----------------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello in protocol 3, in which one connection may both publish and hear."""
        self._transport = cast("asyncio.Transport", transport)
        self._received.clear()
        hello = [b"HELLO", b"3"]
        password = self._target.get("password")
        if password:
            hello += [b"AUTH", str(self._target.get("username") or "default").encode(), str(password).encode()]
        self._paused, self._unanswered = False, 0
        # How many heard a packet is of no use; without answers this node is not woken for each it sends.
        self._write(_command(*hello) + _command(b"CLIENT", b"REPLY", b"OFF"))
        for channel in self._channels:
            self._ask(channel)
        self._judge()

    def connection_lost(self, exc: Exception | None) -> None:
        """Another will come."""
        self._transport = None
        self._waiting.clear()
        self._lost.set()
        self._judge()

    def pause_writing(self) -> None:
        """Redis reads too slowly: voice is dropped, not kept."""
        self._paused = True

    def resume_writing(self) -> None:
        """It reads again."""
        self._paused = False

    def data_received(self, data: bytes) -> None:
        """Messages of channels go on; of all else only answers to subscriptions count."""
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
                    answers, at = received.startswith(SUBSCRIBED, at), _skip(received, at)
                    if answers:
                        self._unanswered -= 1
                        self._judge()
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

    def _ask(self, channel: bytes) -> None:
        """A subscription is answered, also one that is there already: no other command is, on this connection."""
        if self._transport is not None:
            self._unanswered += 1
            self._write(_command(b"SUBSCRIBE", channel))

    def _judge(self) -> None:
        ready = self._transport is not None and not self._unanswered
        if ready != self.ready:
            self.ready = ready
            self.on_ready(ready)

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
            try:
                async with asyncio.timeout(1.0):
                    await loop.create_connection(
                        lambda: self, target.get("host", "localhost"), target.get("port", 6379), ssl=ssl or None
                    )
            except (OSError, TimeoutError):
                self._abort()
            else:
                await self._watch_over()
            await asyncio.sleep(AGAIN_S)

    async def _watch_over(self) -> None:
        """Until the connection is lost. One without an answer for a whole turn leads nowhere: it is given up."""
        while not self._lost.is_set():
            asked = self._unanswered
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._lost.wait(), self._probe_s)
            if asked and self._unanswered >= asked:
                self._abort()
                await self._lost.wait()
            elif self._channels and not self._unanswered:
                self._ask(next(iter(self._channels)))


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
