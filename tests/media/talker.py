"""A phone that speaks into an uplink, and the burst it feeds."""

from __future__ import annotations

from codec.rtp import RtpPacket
from poc_server.media.relay import Route
from poc_server.media.shared import Shared
from poc_server.media.uplink.uplink import Uplink
from poc_server.media.wire.sdp import OPUS
from tests.media.slots import FRAME, SPEECH, Heard
from tests.media.stage import Watcher

SHORT = bytes([9 << 3])
"""Begins what looks like 20 ms of SILK wideband."""


class Talker:
    """A phone that speaks in frames of 40 ms."""

    def __init__(self, s: Shared) -> None:
        self.complaints = 0
        self.uplink = Uplink(s, self._complain)
        self.number = 0
        self.at = 0
        self._shared = s

    def _complain(self) -> None:
        self.complaints += 1

    def says(self, payload: bytes | None = None, payload_type: int = OPUS) -> bytes:
        body = SPEECH + bytes([self.number & 255]) if payload is None else payload
        self.receives(self.number, body, payload_type)
        self.number += 1
        return body

    def says_short(self, number: int) -> bytes:
        """A frame of 20 ms."""
        body = SHORT + number.to_bytes(2)
        self.says(body)
        self.at -= FRAME // 2
        return body

    def skips(self, packets: int) -> None:
        """Its numbers jump; its timestamps do not."""
        self.number += packets
        self.at -= packets * FRAME

    def receives(self, number: int, payload: bytes, payload_type: int = OPUS) -> None:
        timestamp = (self.at + number * FRAME) & 0xFFFFFFFF
        packet = RtpPacket(payload_type, False, (65_530 + number) & 0xFFFF, timestamp, 7, 0, b"", payload)
        self.uplink.received(packet, self._shared.loop.time())


def begin(
    s: Shared,
    talker: Talker,
    *listeners: Heard,
    burst: int = 1,
    catches_up: bool = False,
    outward: Watcher | None = None,
) -> tuple[Route, Watcher]:
    watcher = Watcher()
    route = Route(s, burst, watcher, (watcher,), outward)
    route.fed_by(talker.uplink.begin(route, catches_up=catches_up))
    route.set_audience(tuple(one.slot for one in listeners))
    return route, watcher
