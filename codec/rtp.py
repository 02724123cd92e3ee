"""RTP headers (RFC 3550 §5.1): reading what a phone sent, and the twelve bytes this server puts before a payload."""

from __future__ import annotations

import struct
from typing import NamedTuple

HEADER_BYTES = 12
SEQUENCE_MODULUS = 1 << 16
TIMESTAMP_MODULUS = 1 << 32

_FIXED = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


class RtpPacket(NamedTuple):
    """One parsed RTP packet: ``payload`` without padding, ``extension`` the body of the header extension, raw."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    extension_profile: int
    extension: bytes
    payload: bytes


def parse(data: bytes) -> RtpPacket | None:
    """Parse ``data`` as RTP version 2; ``None`` for anything that is not a whole, consistent packet."""
    size = len(data)
    if size < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
    if first >> 6 != 2:
        return None
    start = HEADER_BYTES + 4 * (first & 0x0F)
    profile, extension = 0, b""
    if first & 0x10:
        if start + 4 > size:
            return None
        profile, words = _EXTENSION.unpack_from(data, start)
        start += 4
        if start + 4 * words > size:
            return None
        extension = data[start : start + 4 * words]
        start += 4 * words
    end = size
    if first & 0x20:
        padding = data[-1]
        if padding == 0 or start + padding > size:
            return None
        end -= padding
    if start > end:
        return None
    return RtpPacket(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, profile, extension, data[start:end])


def build(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, *, marker: bool = False
) -> bytes:
    """One RTP packet without extension, padding or contributing sources. Numbers are taken modulo their field."""
    return (
        _FIXED.pack(
            0x80,
            payload_type | (0x80 if marker else 0),
            sequence % SEQUENCE_MODULUS,
            timestamp % TIMESTAMP_MODULUS,
            ssrc,
        )
        + payload
    )


class Unwrapper:
    """Counts a wrapping number on: 65535, 0, 1 becomes 65535, 65536, 65537. Steps back stay steps back.

    The number nearest to the highest so far is taken, so a jump of up to half the modulus either way is understood.
    """

    __slots__ = ("_half", "_highest", "_modulus")

    def __init__(self, modulus: int) -> None:
        self._modulus = modulus
        self._half = modulus // 2
        self._highest: int | None = None

    def unwrap(self, value: int) -> int:
        """The extended number of ``value``. The first starts one whole turn up, so a step back stays positive."""
        highest = self._highest
        if highest is None:
            self._highest = extended = value + self._modulus
            return extended
        extended = highest + (value - highest + self._half) % self._modulus - self._half
        if extended > highest:
            self._highest = extended
        return extended


def audio_level(packet: RtpPacket, extension_id: int) -> int | None:
    """The level (RFC 6464, −dBov: 0 loudest, 127 silence) in a one-byte header extension (RFC 8285), or ``None``."""
    if packet.extension_profile != 0xBEDE:
        return None
    body, at = packet.extension, 0
    while at < len(body):
        head = body[at]
        at += 1
        if head == 0:
            continue
        if head >> 4 == 15:
            return None
        if head >> 4 == extension_id:
            return body[at] & 0x7F if at < len(body) else None
        at += (head & 0x0F) + 1
    return None
