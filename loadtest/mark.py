"""What the fleet writes into the padding of each voice packet, so that who heard whom, and when, is known."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from codec.padding import cargo, pad

_MAGIC: Final = b"pM"
_LAYOUT: Final = struct.Struct("!2sHIIQ")
MARK_BYTES: Final = _LAYOUT.size
_OPUS_OVERHEAD: Final = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """Phone, its how-manieth burst, the how-manieth packet of it, and when it was sent (ns since the epoch)."""

    phone: int
    burst: int
    counter: int
    sent_ns: int


class Frame:
    """One frame of speech at a fixed size, with room for a mark."""

    __slots__ = ("_head", "_tail")

    def __init__(self, packet: bytes, size: int | None = None) -> None:
        """``size`` is that of the marked packet; None: as small as it gets. Raises ValueError when it is too small."""
        padded = pad(packet, bytes(MARK_BYTES))
        room = MARK_BYTES
        if size is not None:
            room += size - len(padded)
            padded = pad(packet, bytes(max(room, 0)))
            room -= len(padded) - size
            padded = pad(packet, bytes(max(room, 0)))
        if room < MARK_BYTES or len(padded) != (size or len(padded)):
            raise ValueError(f"a frame of {len(packet)} bytes and its mark do not make {size}")
        self._head = padded[: len(padded) - room]
        self._tail = bytes(room - MARK_BYTES)

    def marked(self, phone: int, burst: int, counter: int, sent_ns: int) -> bytes:
        """The Opus packet to send."""
        return self._head + _LAYOUT.pack(_MAGIC, counter & 0xFFFF, phone, burst, sent_ns) + self._tail


def read_mark(packet: bytes) -> Mark | None:
    """The mark of an Opus packet; None when it has none."""
    load = cargo(packet)
    if load is None or len(load) < MARK_BYTES:
        return None
    magic, counter, phone, burst, sent_ns = _LAYOUT.unpack_from(load)
    return Mark(phone, burst, counter, sent_ns) if magic == _MAGIC else None


def speech_bytes(size: int) -> int:
    """Bytes that speech may take in a marked packet of ``size``."""
    return size - MARK_BYTES - _OPUS_OVERHEAD
