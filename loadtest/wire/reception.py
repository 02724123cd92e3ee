"""What came in on a phone's slots, and the RTCP by which it tells the server (RFC 3550 §6.4), as browsers do."""

from __future__ import annotations

import struct
import time
from typing import Final

_NTP_EPOCH: Final = 2_208_988_800
_SENDER, _RECEIVER, _DESCRIPTION = 200, 201, 202
_HEAD: Final = struct.Struct("!BBHI")
_INFO: Final = struct.Struct("!IIIII")
_BLOCK: Final = struct.Struct("!IIIIII")


class SlotCount:
    """What came in on one slot, by the clear RTP header alone."""

    __slots__ = ("_next", "_told_lost", "_told_packets", "bytes", "first", "last_ns", "late", "lost", "packets")

    def __init__(self) -> None:
        self.packets = self.bytes = self.lost = self.late = self.last_ns = self.first = 0
        self._told_packets = self._told_lost = 0
        self._next: int | None = None

    def take(self, sequence: int, size: int, stamp: int) -> None:
        """Count one packet; a gap in the numbers is loss until a late packet fills it."""
        self.packets += 1
        self.bytes += size
        self.last_ns = stamp
        if sequence != self._next:
            if self._next is None:
                self.first = sequence
            else:
                gap = (sequence - self._next) & 0xFFFF
                if gap >= 0x8000:
                    self.late += 1
                    self.lost -= 1
                    return
                self.lost += gap
        self._next = (sequence + 1) & 0xFFFF

    def block(self, ssrc: int) -> bytes | None:
        """The report block on this slot's stream, or ``None`` when nothing came since the last one.

        Jitter and the time of the last sender report are left out: they would cost the fleet, and nobody asks for them.
        """
        packets, lost = self.packets - self._told_packets, self.lost - self._told_lost
        if packets == 0:
            return None
        self._told_packets, self._told_lost = self.packets, self.lost
        fraction = max(0, min(255, 256 * lost // max(1, packets + lost)))
        highest = self.first + self.packets + self.lost - 1  # each number up to it was received or is missing
        return _BLOCK.pack(ssrc, fraction << 24 | self.lost & 0xFFFFFF, highest & 0xFFFFFFFF, 0, 0, 0)


class Said:
    """What a phone has sent: the figures of its sender reports."""

    __slots__ = ("_told", "octets", "packets", "timestamp")

    def __init__(self) -> None:
        self.packets = self.octets = self.timestamp = self._told = 0

    def note(self, octets: int, timestamp: int) -> None:
        """One packet of ``octets`` bytes of voice at RTP time ``timestamp``."""
        self.packets += 1
        self.octets += octets
        self.timestamp = timestamp

    def info(self) -> bytes | None:
        """The sender's part of a report, or ``None`` when nothing was said since the last one."""
        if self.packets == self._told:
            return None
        self._told = self.packets
        seconds, rest = divmod(time.time_ns(), 1_000_000_000)
        clock = (seconds + _NTP_EPOCH) & 0xFFFFFFFF, (rest << 32) // 1_000_000_000
        return _INFO.pack(*clock, self.timestamp & 0xFFFFFFFF, self.packets & 0xFFFFFFFF, self.octets & 0xFFFFFFFF)


def receiver_report(own: int, ssrc: int, slot: SlotCount) -> bytes:
    """The report on one slot. Chromium makes one per line, also of a line on which nothing came, without a name."""
    block = slot.block(ssrc) or b""
    return _HEAD.pack(0x81 if block else 0x80, _RECEIVER, 1 + len(block) // 4, own) + block


def sender_report(own: int, said: Said) -> bytes | None:
    """The compound of a phone that has spoken since the last one, with its name; else ``None``."""
    info = said.info()
    if info is None:
        return None
    # One chunk: SSRC, CNAME (1) of five bytes, and zeros to the next 32 bits, one at least.
    name = _HEAD.pack(0x81, _DESCRIPTION, 3, own) + b"\x01\x05phone\0"
    return _HEAD.pack(0x80, _SENDER, 1 + len(info) // 4, own) + info + name
