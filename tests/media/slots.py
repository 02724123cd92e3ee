"""Slots whose packets go into a list instead of a socket, opened again by libsrtp; and a loop whose time tests own."""

from __future__ import annotations

import asyncio
import functools
import os
import selectors
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field

import pylibsrtp

from codec import opus, rtp
from codec.packet import VoicePacket
from poc_server.media import MediaSettings
from poc_server.media.downlink.slot import Slot
from poc_server.media.relay import Relay, Route
from poc_server.media.shared import Shared
from poc_server.media.wire.srtp import Receiver, Sender, SrtpKeys
from tests.media.stage import Watcher

FRAME = 1920
SPEECH = bytes([10 << 3]) + b"speech"
"""Looks like 40 ms of SILK wideband."""
SILENCE = opus.silent_frame(SPEECH)


class StepLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting: hours pass in milliseconds, exactly."""

    def __init__(self) -> None:
        super().__init__(_Skipping(self))
        self.now = 1_000.0

    def time(self) -> float:
        return self.now


def stepped(test: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """Run a test on a `StepLoop`."""

    @functools.wraps(test)
    def run(*args: object, **named: object) -> None:
        with asyncio.Runner(loop_factory=StepLoop) as runner:
            runner.run(test(*args, **named))

    return run


class _Skipping(selectors.SelectSelector):
    def __init__(self, loop: StepLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout:
            self._loop.now += timeout
        return super().select(0)


@dataclass
class Heard:
    """One listener's slot and every packet that reached it."""

    shared: Shared
    red: bool = False
    index: int = 0
    packets: list[rtp.RtpPacket] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        key, salt = os.urandom(32), os.urandom(12)
        keys = SrtpKeys(pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, True, key, salt, key, salt)
        self._receiver = Receiver(keys)
        self.slot = Slot(self.index, 77, self.shared.timestamp())
        self.slot.stream = Sender(keys).stream(77)
        self.slot.red = self.red
        self.slot.sendto = self._sendto

    def _sendto(self, data: bytes, _: object) -> None:
        plain = self._receiver.open(data)
        assert plain is not None, "a listener would refuse this packet"
        packet = rtp.parse(plain)
        assert packet is not None
        self.packets.append(packet)
        self.times.append(self.shared.loop.time())

    @property
    def payloads(self) -> list[bytes]:
        return [packet.payload for packet in self.packets]


def voice(number: int, payload: bytes | None = None) -> VoicePacket:
    """The ``number``-th packet of 40 ms of a talker."""
    return VoicePacket(
        70_000 + number, 5_000_000 + number * FRAME, payload or SPEECH + bytes([number & 255]), number * 40
    )


def shared(**settings: object) -> Shared:
    return Shared(MediaSettings(**settings), lambda: int(asyncio.get_running_loop().time() * 1000))


async def settle() -> None:
    """Let everything that is due now happen."""
    for _ in range(10):
        await asyncio.sleep(0)


async def over() -> None:
    """Let the last frame of a burst that has ended be over: its slots are closed then."""
    await asyncio.sleep(0.06)
    await settle()


def begin(s: Shared, burst: int = 1, *listeners: Heard) -> tuple[Route, Watcher]:
    watcher = Watcher()
    route = Relay(s).begin(burst, None, watcher, (watcher,))
    route.set_audience(tuple(one.slot for one in listeners))
    return route, watcher
