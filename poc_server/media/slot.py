"""A slot: one downlink stream of one phone, which carries burst after burst as one unbroken RTP stream."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from codec.continuity import Offsets, Position

if TYPE_CHECKING:
    from poc_server.media.relay import Route
    from poc_server.media.srtp import LibsrtpStream, Stream
    from poc_server.media.udp import LocalSocket

_NOWHERE = Offsets(0, 0, 0)


class Slot:
    """One of a phone's downlink streams. Only the fan-out changes what stands in it, but for where it is sent to."""

    __slots__ = (
        "address",
        "index",
        "last",
        "lossy",
        "lossy_until",
        "octets",
        "octets_mark",
        "offsets",
        "packets",
        "packets_mark",
        "position",
        "red",
        "reported",
        "route",
        "sendto",
        "ssrc",
        "stream",
    )

    def __init__(self, index: int, ssrc: int, timestamp: int) -> None:
        self.index = index
        self.ssrc = ssrc
        self.stream: Stream | LibsrtpStream | None = None
        """Set while the phone has a media path and took this slot's line."""
        self.sendto: Any = None
        self.address: Any = None
        self.red = False
        """The phone understands RED here."""
        self.lossy = False
        """The phone loses packets here: it gets RED."""
        self.lossy_until = 0.0
        self.route: Route | None = None
        """The burst it carries. Whoever claims a slot last has it."""
        self.offsets = _NOWHERE
        self.last = 0
        """Highest uplink number of the running burst that was sent here."""
        # RFC 3711 §3.3.1: begin in the lower half, so that the first rollover is unmistakable.
        self.position = Position(1 + secrets.randbelow(1 << 15), timestamp)
        self.packets = 0
        self.octets = 0
        self.packets_mark = 0
        self.octets_mark = 0
        self.reported = 0

    def direct(self, local: LocalSocket, address: Any) -> None:
        """Send to ``address`` from now on, from the socket ``local``."""
        self.sendto = local.socket.sendto
        self.address = address
