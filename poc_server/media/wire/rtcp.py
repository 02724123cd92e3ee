"""RTCP (RFC 3550 §6): reports to talkers and listeners, and what listeners report of loss. Pure and defensive."""

from __future__ import annotations

import struct
from typing import NamedTuple

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
MAX_PACKETS = 16
"""Packets of one compound that are looked at."""
_NTP_EPOCH = 2_208_988_800
_HEAD = struct.Struct("!BBH")
_BLOCK = struct.Struct("!IIIIII")
_SENDER = struct.Struct("!IIIIII")


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram whose first byte says RTP or RTCP is RTCP (RFC 5761 §4)."""
    return len(data) > 1 and 192 <= data[1] <= 223


class ReportBlock(NamedTuple):
    """What a receiver says of one stream: ``fraction_lost`` in 1/256 since its last report, jitter in clock units."""

    ssrc: int
    fraction_lost: int
    total_lost: int
    highest_sequence: int
    jitter: int
    last_sender_report: int = 0
    delay_since: int = 0


class SenderInfo(NamedTuple):
    """What a sender says of itself: ``ntp_middle`` is what a receiver repeats to it as the last sender report."""

    ssrc: int
    ntp_middle: int
    rtp_timestamp: int


class Compound(NamedTuple):
    """What of a compound packet matters here."""

    sender: SenderInfo | None
    blocks: tuple[ReportBlock, ...]


def parse(data: bytes) -> Compound | None:
    """Read a compound packet; ``None`` if it is not whole. Types that do not matter here are passed over."""
    sender: SenderInfo | None = None
    blocks: list[ReportBlock] = []
    at, size = 0, len(data)
    for _ in range(MAX_PACKETS):
        if at == size:
            break
        if at + 4 > size:
            return None
        first, kind, words = _HEAD.unpack_from(data, at)
        end = at + 4 * (words + 1)
        if first >> 6 != 2 or end > size:
            return None
        if kind == SENDER_REPORT:
            if end - at < 28:
                return None
            ssrc, high, low, timestamp, _, _ = _SENDER.unpack_from(data, at + 4)
            sender = SenderInfo(ssrc, (high & 0xFFFF) << 16 | low >> 16, timestamp)
            if not _blocks(data, at + 28, end, first & 0x1F, blocks):
                return None
        elif kind == RECEIVER_REPORT and not _blocks(data, at + 8, end, first & 0x1F, blocks):
            return None
        at = end
    return Compound(sender, tuple(blocks)) if size else None


def _blocks(data: bytes, at: int, end: int, count: int, into: list[ReportBlock]) -> bool:
    if at + count * _BLOCK.size > end:
        return False
    for _ in range(count):
        ssrc, lost, highest, jitter, last, delay = _BLOCK.unpack_from(data, at)
        total = lost & 0xFFFFFF
        into.append(
            ReportBlock(ssrc, lost >> 24, total - (1 << 24) if total >> 23 else total, highest, jitter, last, delay)
        )
        at += _BLOCK.size
    return True


def receiver_report(ssrc: int, block: ReportBlock) -> bytes:
    """A compound of a receiver report with one block and our name."""
    lost = max(-(1 << 23), min((1 << 23) - 1, block.total_lost)) & 0xFFFFFF
    return (
        _HEAD.pack(0x81, RECEIVER_REPORT, 7)
        + ssrc.to_bytes(4, "big")
        + _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | lost,
            block.highest_sequence & 0xFFFFFFFF,
            block.jitter & 0xFFFFFFFF,
            block.last_sender_report,
            block.delay_since & 0xFFFFFFFF,
        )
        + _name(ssrc)
    )


def sender_report(ssrc: int, wall_ms: int, rtp_timestamp: int, packets: int, octets: int) -> bytes:
    """A compound of a sender report and our name. ``wall_ms``: Unix time at which ``rtp_timestamp`` is sounding."""
    seconds, milliseconds = divmod(wall_ms, 1000)
    return (
        _HEAD.pack(0x80, SENDER_REPORT, 6)
        + _SENDER.pack(
            ssrc,
            seconds + _NTP_EPOCH & 0xFFFFFFFF,
            (milliseconds << 32) // 1000,
            rtp_timestamp & 0xFFFFFFFF,
            packets & 0xFFFFFFFF,
            octets & 0xFFFFFFFF,
        )
        + _name(ssrc)
    )


def _name(ssrc: int) -> bytes:
    # One chunk: SSRC, CNAME (1) of three bytes, the null that ends the list, padded to 32 bits.
    body = ssrc.to_bytes(4, "big") + b"\x01\x03poc\0\0\0"
    return _HEAD.pack(0x81, SOURCE_DESCRIPTION, len(body) // 4) + body


class Reception:
    """What a receiver keeps of one incoming stream for its reports (RFC 3550 §6.4.1, appendix A.3 and A.8)."""

    __slots__ = ("_base", "_jitter", "_prior_expected", "_prior_received", "_received", "_transit", "highest", "ssrc")

    def __init__(self, ssrc: int) -> None:
        self.ssrc = ssrc
        self.highest = -1
        self._base = -1
        self._received = 0
        self._prior_expected = 0
        self._prior_received = 0
        self._jitter = 0.0
        self._transit: float | None = None

    def received(self, sequence: int, timestamp: int, clock: float, *, contiguous: bool) -> None:
        """Count a packet. ``sequence`` and ``timestamp`` are extended, ``clock`` is arrival in timestamp units.

        Jitter is taken only between ``contiguous`` packets: a phone's timestamps stand still between bursts.
        """
        if self._base < 0:
            self._base = sequence
        self._received += 1
        self.highest = max(self.highest, sequence)
        transit = clock - timestamp
        if self._transit is not None and contiguous:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16
        self._transit = transit

    def report(self, last_sender_report: int, delay_since: int) -> ReportBlock | None:
        """The block for the next report, or ``None`` when nothing has come since the last one."""
        expected = self.highest - self._base + 1
        interval, got = expected - self._prior_expected, self._received - self._prior_received
        if self._base < 0 or got == 0:
            return None
        self._prior_expected, self._prior_received = expected, self._received
        fraction = max(0, interval - got) * 256 // interval if interval > 0 else 0
        return ReportBlock(
            self.ssrc,
            min(255, fraction),
            expected - self._received,
            self.highest,
            int(self._jitter),
            last_sender_report,
            delay_since,
        )
