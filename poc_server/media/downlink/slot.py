"""A slot: one downlink stream of one phone, which carries burst after burst as one unbroken RTP stream."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from codec.continuity import Offsets, Position
from poc_server.media.native import Line
from poc_server.media.wire.batch import AVAILABLE, Outgoing, socket_address
from poc_server.media.wire.srtp import OVERHEAD_BYTES, LibsrtpStream, Stream

if TYPE_CHECKING:
    from poc_server.media.wire.udp import Address, LocalSocket

FAST_PAYLOAD_BYTES = 256
"""Payloads up to this size go out in batches: 40 ms at 50 kb/s, or 20 kb/s with each frame twice."""
_NOWHERE = Offsets(0, 0, 0)


class Burst(Protocol):
    """A burst on the air (`poc_server.media.relay.Route`), as its slots and the fan-out see it."""

    packets: int
    octets: int
    end_timestamp: int
    silence: bytes

    @property
    def loss(self) -> float:
        """The part of its packets that never came from the talker, 0 to 1."""


class Slot(Line):
    """One of a phone's downlink streams. Only the fan-out changes what stands in it, but for where it is sent to.

    What the native kernel must know of it stands in `Line`: ``route``, the burst it carries; ``first`` and ``last``,
    the uplink numbers it joined at and got last; what to add to the burst's numbers; and ``lossy``, that the phone
    loses packets here and gets each frame twice.
    """

    __slots__ = (
        "_outgoing",
        "address",
        "batch",
        "carried_loss",
        "claim",
        "index",
        "left",
        "left_at",
        "lossy_until",
        "message",
        "octets",
        "octets_mark",
        "offsets",
        "packets",
        "packets_mark",
        "place",
        "position",
        "red",
        "report_at",
        "report_came",
        "reported",
        "resize",
        "sendto",
        "ssrc",
        "stream",
        "total_lost",
    )

    def __init__(self, index: int, ssrc: int, timestamp: int) -> None:
        super().__init__()
        self.index = index
        self.ssrc = ssrc
        self.stream: Stream | LibsrtpStream | None = None
        """Set while the phone has a media path and took this slot's line."""
        # What the fan-out needs to send in batches, taken apart so that it looks up one attribute each.
        self._outgoing: Outgoing | None = None
        self.place: Callable[[int, int, int, bytes], bool] | None = None
        """`Stream.place`, where batches are to be had."""
        self.resize: Callable[[int], None] = _nothing_to_resize
        self.message = b""
        self.batch: Any = None
        self.sendto: Any = None
        self.address: Any = None
        self.red = False
        """The phone understands RED here."""
        self.lossy_until = 0.0
        self.carried_loss = 0.0
        """What of the last burst never came from its talker, 0 to 1."""
        self.claim: Burst | None = None
        """The burst it entered last: that one alone may begin here."""
        self.left: Burst | None = None
        """The burst it carried last and no more, up to the uplink number ``left_at``."""
        self.left_at = -1
        self.offsets = _NOWHERE
        # RFC 3711 §3.3.1: begin in the lower half, so that the first rollover is unmistakable.
        self.position = Position(1 + secrets.randbelow(1 << 15), timestamp)
        self.packets = 0
        self.octets = 0
        self.packets_mark = 0
        self.octets_mark = 0
        self.reported = 0
        """Packets when the last sender report went out."""
        self.report_at = 0.0
        self.total_lost = 0
        """Packets of this stream that the phone's newest report says never came."""
        self.report_came = 0.0
        """When that report came, on the loop's clock; 0.0: none yet."""

    def open(self, stream: Stream | LibsrtpStream, *, red: bool) -> None:
        """The phone has a media path and took this slot's line."""
        self.red = red
        if AVAILABLE and isinstance(stream, Stream):
            self._outgoing = outgoing = Outgoing(FAST_PAYLOAD_BYTES + OVERHEAD_BYTES)
            stream.bind(outgoing.packet.data)
            self.place, self.resize = stream.place, outgoing.resize
        self.sealer = stream if isinstance(stream, Stream) else None
        self.stream = stream

    def join(self, route: Burst, offsets: Offsets) -> None:
        """Carry ``route`` from its uplink number ``offsets.first`` on."""
        self.route, self.offsets = route, offsets
        self.first = self.last = offsets.first
        self.add_sequence, self.add_timestamp = offsets.sequence, offsets.timestamp

    def direct(self, local: LocalSocket, address: Address) -> None:
        """Send to ``address`` from now on, from the socket ``local``."""
        self.sendto = local.socket.sendto
        self.address = address
        self.batch = local.batch
        if self._outgoing is not None:
            name = socket_address(local.family, address)
            self.message = self._outgoing.direct(name)
            self.aim(local.fd, name)

    def shut(self) -> None:
        """The phone is gone."""
        self.stream = self.sealer = self.claim = self.route = self.left = self.place = self._outgoing = None
        self.resize = _nothing_to_resize


def _nothing_to_resize(_: int) -> None:
    """There is no buffer."""
