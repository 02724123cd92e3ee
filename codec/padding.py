"""Bytes that ride along inside a legal Opus packet (RFC 6716 §3.2.5) and that every decoder skips.

Any packet is rewritten as one of code 3: ``TOC | 0b11``, a count byte with the padding bit, the padding's length, what
followed the old header, the padding. What the fleet writes there says who sent a packet, and when.
"""

from __future__ import annotations

_PADDED = 0x40
_COUNT_OF_CODE = (1, 2, 0x82)
"""The count byte that code 0, 1 and 2 become: one frame, two equal ones, two with a length before the first."""


def pad(packet: bytes, cargo: bytes) -> bytes:
    """``packet`` with ``cargo`` as its only padding. Raises ValueError for what cannot be an Opus packet."""
    if not packet:
        raise ValueError("an empty packet has no padding")
    code = packet[0] & 3
    if code < 3:
        count, body = _COUNT_OF_CODE[code], packet[1:]
    else:
        start, padding = _layout(packet) or (0, 0)
        if not start:
            raise ValueError("the header of this packet is damaged")
        count, body = packet[1], packet[start : len(packet) - padding]
    full = max(0, len(cargo) - 1) // 254
    lengths = b"\xff" * full + bytes([len(cargo) - 254 * full])
    return bytes([packet[0] | 3, count | _PADDED]) + lengths + body + cargo


def cargo(packet: bytes) -> bytes | None:
    """The padding of a packet; None where there is none, and for a damaged one."""
    if len(packet) < 3 or packet[0] & 3 != 3 or not packet[1] & _PADDED:
        return None
    _, padding = _layout(packet) or (0, 0)
    return packet[-padding:] if padding else None


def _layout(packet: bytes) -> tuple[int, int] | None:
    """Where the body of a code 3 packet begins, and how many bytes of padding end it."""
    if len(packet) < 2:
        return None
    if not packet[1] & _PADDED:
        return 2, 0
    total, at = 0, 2
    while at < len(packet):
        byte = packet[at]
        at += 1
        total += 254 if byte == 255 else byte
        if byte != 255:
            return (at, total) if total <= len(packet) - at else None
    return None
