"""A voice packet, as it travels inside the system: from a phone's uplink to slots, recorders and other nodes."""

from __future__ import annotations

from typing import NamedTuple


class VoicePacket(NamedTuple):
    """One Opus packet of one talk burst, checked, not decoded.

    ``sequence`` and ``timestamp`` (48 kHz) are the talker's own, *extended*: they count on past 2^16 and 2^32, so
    differences are plain subtractions. ``arrived_ms`` is when it arrived at the node of its talker, on the clock of
    floor control. ``level`` is −dBov (0 loudest, 127 silence) where the talker's phone told it.
    """

    sequence: int
    timestamp: int
    payload: bytes
    arrived_ms: int
    level: int | None = None
