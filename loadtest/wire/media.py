"""The voice path of one phone: one UDP socket with STUN, DTLS and SRTP on it (RFC 7983), voice out and slots in.

Receiving is the hot path of the fleet. A packet is counted from its clear header; only a phone that listens closely
(one in n) decrypts it and reads the mark inside.
"""

from __future__ import annotations

import asyncio
import ipaddress
import random
import socket
import struct
from collections.abc import Callable
from enum import Enum
from typing import Final

from pylibsrtp import Error as SrtpError
from pylibsrtp import Session

from codec.opus import plain_silence
from loadtest.mark import Mark, read_mark
from loadtest.wire.dtls import Credentials, DtlsClient, HandshakeFailed
from loadtest.wire.ice import IceController
from loadtest.wire.reactor import Reactor, kernel_drops, receive, with_timestamps
from loadtest.wire.reception import Said, SlotCount, receiver_report, sender_report
from loadtest.wire.sdp import Offer, choose_address, write_answer

CONSENT_S: Final = 2.5
"""Between two binding requests on a path that works: what Chromium does."""
QUIET_CONSENT_S: Final = 20.0
"""The same for a phone that should cost the server as little as it may."""
CONSENT_LOST_S: Final = 30.0
"""No answer for so long: the path is dead (RFC 7675 §5.1)."""
CHECK_S: Final = 0.05
"""Before the first unanswered check is repeated; doubled each time, up to 1.6 s (RFC 8445 §14)."""
RECEIVE_BUFFER: Final = 1 << 20
_HEADER: Final = struct.Struct("!BBHII")
_SEQUENCE_TIME_SOURCE: Final = struct.Struct("!HII")
_MTU: Final = 2048
QUIET_BYTES: Final = 12 + 16 + len(plain_silence(40))
"""Header, tag and payload of the silence that is sent to a phone that has just connected; no voice is as short."""
IP_UDP_BYTES: Final = {4: 28, 6: 48}


class MediaState(Enum):
    """How far the voice path has come."""

    CHECKING = "checking"
    HANDSHAKING = "handshaking"
    CONNECTED = "connected"
    CLOSED = "closed"


class Traffic:
    """Datagrams and their bytes, UDP payload only, both ways; of them, connectivity checks and their answers."""

    __slots__ = ("bytes_in", "bytes_out", "check_bytes", "checks", "packets_in", "packets_out")

    def __init__(self) -> None:
        self.bytes_in = self.bytes_out = self.packets_in = self.packets_out = self.checks = self.check_bytes = 0

    def check(self, size: int) -> None:
        """One of those was a check, or its answer."""
        self.checks += 1
        self.check_bytes += size


class MediaPath:
    """One phone's voice path. ``connected`` is a future: done when SRTP keys are there, or with the failure.

    Attributes:
        checked: a future, done when the newest offer's address has answered a check.
        closely: this phone decrypts what it hears.
        reports: it tells the server by RTCP what it said and heard, with a check of its path when that is due.
        on_mark: called with (slot, mark, kernel receive time in ns) for each packet of a phone that listens closely.
        on_next_packet: called once with (slot, receive time) at the next voice packet, then forgotten.
        on_gone: called with a reason when a path that worked is lost.
    """

    def __init__(
        self,
        reactor: Reactor,
        credentials: Credentials,
        offer: Offer,
        host: str,
        *,
        closely: bool,
        consent_s: float = CONSENT_S,
        reports: bool = True,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._reactor = reactor
        self._credentials = credentials
        self.offer = offer
        self.closely = closely
        self._consent_s = consent_s
        self._reports = reports
        self.state = MediaState.CHECKING
        self.connected: asyncio.Future[None] = self._loop.create_future()
        self.checked: asyncio.Future[None] = self._loop.create_future()
        self.ssrc = random.randrange(1, 1 << 32)
        self._ice = IceController(offer.ufrag, offer.password)
        self._dtls = DtlsClient(credentials, offer.fingerprint, self._send)
        self.address = choose_address(offer, host)
        self.slots = tuple(SlotCount() for _ in offer.slots)
        self._by_ssrc = {line.ssrc: n for n, line in enumerate(offer.slots) if line.ssrc is not None}
        self.traffic = Traffic()
        self.on_mark: Callable[[int, Mark, int], None] | None = None
        self.on_next_packet: Callable[[int, int], None] | None = None
        self.on_gone: Callable[[str], None] | None = None
        self.undecryptable = 0
        self._out: Session | None = None
        self._in: Session | None = None
        self._sequence = random.randrange(0x8000)
        self._said = Said()
        self._turn = random.randrange(2)
        self._timer: asyncio.TimerHandle | None = None
        self._interval = CHECK_S
        self._answered_at = 0.0
        self._open_socket()

    # --- coming and going -----------------------------------------------------------------------------------------

    def answer(self, frame_ms: int) -> str:
        """The SDP answer to the newest offer."""
        return write_answer(
            self.offer,
            ufrag=self._ice.ufrag,
            password=self._ice.password,
            fingerprint=self._credentials.fingerprint,
            ssrc=self.ssrc,
            frame_ms=frame_ms,
        )

    def start(self) -> None:
        """Begin with connectivity checks: the server knows our answer."""
        self._check()

    def restart(self, offer: Offer) -> None:
        """Go on from another port with a second offer, as after a change of network. DTLS and keys stay."""
        self._close_socket()
        self.offer = offer
        self._ice = IceController(offer.ufrag, offer.password)
        self._open_socket()
        self._interval = CHECK_S
        self.checked = self._loop.create_future()

    def close(self) -> None:
        """Leave: tell the server, free the socket."""
        if self.state is MediaState.CLOSED:
            return
        self._dtls.close()
        self._end()

    def vanish(self) -> None:
        """Disappear without a word, as a phone whose battery died."""
        self._end()

    def kernel_drops(self) -> int:
        """Datagrams this process was too slow to read."""
        return 0 if self.state is MediaState.CLOSED else kernel_drops(self._socket)

    # --- voice out ------------------------------------------------------------------------------------------------

    def send_voice(self, payload: bytes, timestamp: int, *, marker: bool = False) -> None:
        """One Opus packet at RTP time ``timestamp``. Raises HandshakeFailed before the path is connected."""
        if self._out is None:
            self._out = self._dtls.sender()
        opus = self.offer.uplink.opus | (0x80 if marker else 0)
        header = _HEADER.pack(0x80, opus, self._sequence, timestamp & 0xFFFFFFFF, self.ssrc)
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._said.note(len(payload), timestamp)
        self._send(self._out.protect(header + payload))

    def report_loss(self, lost: int) -> None:
        """Tell the server by RTCP that ``lost`` packets in all never came, on each slot (RFC 3550 §6.4.2)."""
        if self._out is None:
            self._out = self._dtls.sender()
        for ssrc in self._by_ssrc:
            block = struct.pack("!IB3xIIII", ssrc, 0, 0, 0, 0, 0)
            block = block[:5] + lost.to_bytes(3, "big") + block[8:]
            self._send(self._out.protect_rtcp(struct.pack("!BBHI", 0x81, 201, 7, self.ssrc) + block))

    def _report(self) -> None:
        """Half of the lines have their turn with each check: each reports every 5 s, as in Chromium."""
        if self._out is None:
            self._out = self._dtls.sender()
        self._turn ^= 1
        due = [
            receiver_report(self.ssrc, ssrc, self.slots[n]) for ssrc, n in self._by_ssrc.items() if n & 1 == self._turn
        ]
        said = sender_report(self.ssrc, self._said) if self._turn else None
        for packet in due if said is None else (*due, said):
            self._send(self._out.protect_rtcp(packet))

    # --- all in ---------------------------------------------------------------------------------------------------

    def _readable(self, _events: int) -> None:
        try:
            data, stamp = receive(self._socket, _MTU)
        except OSError:
            return
        traffic = self.traffic
        traffic.packets_in += 1
        traffic.bytes_in += len(data)
        first = data[0] if data else 255
        if 127 < first < 192:
            if not 191 < data[1] < 224:
                self._voice(data, stamp)
        elif first < 4:
            traffic.check(len(data))
            self._stun(data)
        elif 19 < first < 64:
            self._dtls_datagram(data)

    def _voice(self, data: bytes, stamp: int) -> None:
        sequence, _, source = _SEQUENCE_TIME_SOURCE.unpack_from(data, 2)
        slot = self._by_ssrc.get(source)
        if slot is None:
            self.undecryptable += 1
            return
        if len(data) <= QUIET_BYTES:
            return  # silence for jitter buffers, before the first burst
        self.slots[slot].take(sequence, len(data), stamp)
        if self.on_next_packet is not None:
            told, self.on_next_packet = self.on_next_packet, None
            told(slot, stamp)
        if self.closely:
            self._listen(slot, data, stamp)

    def _listen(self, slot: int, data: bytes, stamp: int) -> None:
        self._reactor.note_lag(stamp)
        if self._in is None:
            self._in = self._dtls.receiver()
        try:
            packet = self._in.unprotect(data)
        except SrtpError:
            self.undecryptable += 1
            return
        mark = read_mark(payload_of(packet))
        if mark is not None and self.on_mark is not None:
            self.on_mark(slot, mark, stamp)

    def _stun(self, data: bytes) -> None:
        if data[:1] == b"\0":
            reply = self._ice.reply(data, self.address)
            if reply is not None:
                self._send(reply)
                self.traffic.check(len(reply))
            return
        if not self._ice.answered(data):
            return
        self._answered_at = self._loop.time()
        if not self.checked.done():
            self.checked.set_result(None)
        if self.state is MediaState.CHECKING:
            self.state = MediaState.HANDSHAKING
            self._shake(self._dtls.step)
        self._interval = self._consent_s
        self._again()

    def _dtls_datagram(self, data: bytes) -> None:
        if self.state is MediaState.HANDSHAKING:
            self._shake(lambda: self._dtls.receive(data))
        elif self.state is MediaState.CONNECTED and not self._dtls.receive(data):
            self._lost("the server closed DTLS")

    def _shake(self, step: Callable[[], object]) -> None:
        try:
            step()
        except HandshakeFailed as problem:
            self._lost(str(problem))
            return
        if self._dtls.connected:
            self.state = MediaState.CONNECTED
            if not self.connected.done():
                self.connected.set_result(None)
            return
        wait = self._dtls.retransmit_in()
        if wait is not None:
            self._loop.call_later(wait + 0.001, self._retransmit)

    def _retransmit(self) -> None:
        if self.state is MediaState.HANDSHAKING and self._dtls.retransmit_in() == 0:
            self._shake(self._dtls.retransmit)

    # --- checks and consent -----------------------------------------------------------------------------------------

    def _check(self) -> None:
        if self.state is MediaState.CLOSED:
            return
        if self._answered_at and self._loop.time() - self._answered_at > CONSENT_LOST_S:
            self._lost("no consent")
            return
        request = self._ice.request()
        self._send(request)
        self.traffic.check(len(request))
        if self._reports and self.state is MediaState.CONNECTED:
            self._report()
        if self.state is MediaState.CHECKING:
            self._interval = min(2 * self._interval, 1.6)
        self._again()

    def _again(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        wait = self._interval * random.uniform(0.9, 1.1)
        self._timer = self._loop.call_later(wait, self._check)

    # --- the socket -------------------------------------------------------------------------------------------------

    def _open_socket(self) -> None:
        version = ipaddress.ip_address(self.address[0]).version
        self.overhead = IP_UDP_BYTES[version]
        self._socket = socket.socket(socket.AF_INET6 if version == 6 else socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        with_timestamps(self._socket)
        self._socket.connect(self.address)
        self._reactor.add(self._socket.fileno(), self._readable)

    def _close_socket(self) -> None:
        self._reactor.remove(self._socket.fileno())
        self._socket.close()

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.send(datagram)
        except OSError:
            return  # as on a street: what cannot go out now is lost
        self.traffic.packets_out += 1
        self.traffic.bytes_out += len(datagram)

    def _lost(self, reason: str) -> None:
        waited_for = not self.connected.done()
        if waited_for:
            self.connected.set_exception(HandshakeFailed(reason))
        self._end()
        if not waited_for and self.on_gone is not None:
            self.on_gone(reason)

    def _end(self) -> None:
        if self.state is MediaState.CLOSED:
            return
        self.state = MediaState.CLOSED
        if self._timer is not None:
            self._timer.cancel()
        self._close_socket()
        for waited_for in (self.connected, self.checked):
            if not waited_for.done():
                waited_for.cancel()


def payload_of(packet: bytes) -> bytes:
    """The payload of an RTP packet past its sources and extension (RFC 3550 §5.1); empty for a damaged one."""
    start = 12 + 4 * (packet[0] & 15)
    if packet[0] & 0x10 and len(packet) >= start + 4:
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    return packet[start:]
