"""One phone at the edge: its media path (ICE, DTLS, SRTP), its uplink and its slots."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING, Any, Protocol

from codec import rtp
from codec.opus import CLOCK_HZ
from poc_server.media.downlink.slot import Slot
from poc_server.media.paths import Ask, Path, Paths
from poc_server.media.reports import Reports
from poc_server.media.uplink.uplink import Uplink
from poc_server.media.warming import Warming
from poc_server.media.wire import rtcp, sdp
from poc_server.media.wire.dtls import DtlsRefused, DtlsSession, fingerprint
from poc_server.media.wire.ice import Answer, Credentials, IceLite, Request
from poc_server.media.wire.sdp import SdpRefused
from poc_server.media.wire.srtp import Receiver, Sender, SrtpKeys
from poc_server.media.wire.udp import Address, LocalSocket

if TYPE_CHECKING:
    from poc_server.media.shared import Shared

SETTLE_S = 5.0
"""After the handshake: for so long the phone may miss our last flight and ask for it again."""
DOUBT_S = 5.0
"""Left to prove itself for a phone that seems to have said goodbye: two of its checks."""


class Edge(Protocol):
    """The port by which phones are found (`poc_server.media.edge`)."""

    shared: Shared
    asked: dict[bytes, Ask]

    def candidates(self) -> list[tuple[str, int]]:
        """Where phones are told to send."""

    def new_ice(self, peer: Peer) -> IceLite:
        """Fresh credentials by which ``peer`` is found."""

    def forget_ice(self, old: IceLite) -> None:
        """These credentials find nobody any more."""

    def forget(self, peer: Peer, *credentials: IceLite | None) -> None:
        """``peer`` is closed."""

    def look_after(self, peer: Peer, at: float) -> None:
        """Call its `Peer.tick` at ``at`` of the loop's clock, unless that is to be done sooner."""


class PeerOwner(Protocol):
    """Who is told what becomes of a phone's media path. Called on the loop, never per packet."""

    def media_connected(self) -> None:
        """Keys are there: voice can flow both ways."""

    def media_gone(self, reason: str) -> None:
        """The media path is lost: ``closed``, ``consent``, ``dtls``. The peer is closed already."""

    def media_without_floor(self) -> None:
        """The phone sends voice though it has no floor. At most once a second."""


class Peer:
    """One phone's media. Made by `MediaEdge.connect`; its `offer` goes to the phone, whose answer goes to `answer`."""

    def __init__(self, edge: Edge, key: str, slots: int, owner: PeerOwner) -> None:
        self.key = key
        self.connected = False
        self._edge = edge
        self._shared = shared = edge.shared
        self._owner = owner
        self._closed = False
        self._certificate = shared.identity.certificate
        self._session = secrets.randbits(62)
        self._version = 1
        self._ice = edge.new_ice(self)
        self._next_ice: IceLite | None = None
        self._answer: sdp.Answer | None = None
        self._paths = Paths(self, edge.asked, self._send)
        self._path: Path | None = None
        self._dtls = DtlsSession(self._certificate, self._send_dtls, self._dtls_closed)
        self._handshake: asyncio.Task[None] | None = None
        self._heard_dtls = False
        self._receiver: Receiver | None = None
        self._sender: Sender | None = None
        self._warming: Warming | None = None
        self._uplink_ssrc: int | None = None
        self._consent_at = shared.loop.time()
        self._settle_at = float("inf")
        self.uplink = Uplink(shared, owner.media_without_floor)
        self.reports = Reports(shared, self)
        start = shared.timestamp()
        ssrcs = _fresh_ssrcs(slots)
        self.slots: tuple[Slot, ...] = tuple(Slot(index, ssrc, start) for index, ssrc in enumerate(ssrcs))
        self.offer: str = self._write_offer(self._ice.local)

    @property
    def closed(self) -> bool:
        """Nothing brings this media path back; the phone needs a new one."""
        return self._closed

    # --- what signaling calls ---------------------------------------------------------------------------------

    def answer(self, text: str) -> None:
        """Take the phone's answer to the newest offer.

        Raises:
            SdpRefused: it does not answer the offer; the peer stays as it was.
        """
        if self._closed:
            raise SdpRefused("the media path is closed")
        waiting = self._next_ice or (None if self._answer is not None else self._ice)
        if waiting is None:
            raise SdpRefused("no offer is open")
        answer = sdp.read(text, len(self.slots))
        if self._answer is not None and set(self._answer.fingerprints) != set(answer.fingerprints):
            raise SdpRefused("the certificate has changed")
        waiting.remote = answer.ice
        self._paths.credentials_known(waiting)
        if self._answer is None:
            self._uplink_ssrc = answer.uplink_ssrc
            if self._shared.settings.audio_level:
                self.uplink.level_id = answer.level_id
            self._answer = answer
            self._start_handshake()

    def restart_ice(self) -> str:
        """A new offer with new credentials. DTLS and keys stay; the old pair serves until the phone nominates anew.

        A closed peer has none: it gives its last offer again.
        """
        if self._closed:
            return self.offer
        if self._next_ice is not None:
            self._edge.forget_ice(self._next_ice)
        self._next_ice = self._edge.new_ice(self)
        self._version += 1
        self.offer = self._write_offer(self._next_ice.local)
        return self.offer

    def discard_held(self) -> None:
        """Forget the voice that waits for a grant: the request was queued or denied."""
        self.uplink.discard()

    def close(self) -> None:
        """Give everything back; the phone is told if it can be reached. Its owner is not."""
        if self._closed:
            return
        self._closed = True
        if self.connected:
            self.connected = False
            self._shared.counters.connected -= 1
        if self._handshake is not None and self._handshake is not asyncio.current_task():
            self._handshake.cancel()
        if self._warming is not None:
            self._warming.cancel()
        self._dtls.close()
        self.uplink.discard()
        for slot in self.slots:
            slot.shut()
        self._paths.close()
        if self._path is not None:
            self._path[0].followers -= 1
        self._edge.forget(self, self._ice, self._next_ice)

    # --- what the edge calls ----------------------------------------------------------------------------------

    def check(self, ice: IceLite, request: Request, local: LocalSocket, address: Address) -> bool:
        """Answer a connectivity check; false if it proves nothing."""
        path = (local, address)
        outcome = ice.check(request, (local.fd, address), (address[0].partition("%")[0], address[1]))
        if outcome is None:
            return False
        now, proved_at = self._shared.loop.time(), self._paths.proved_at(path)
        lately = now - proved_at <= self._shared.settings.ask_again_s
        if not lately:
            # Before the reply, so that its answer is here before the phone begins with DTLS.
            self._paths.ask(path, ice, nominated=outcome.nominated)
            self._shared.counters.asked += 1
        self._send(outcome.reply, path)
        if proved_at >= 0:
            self._paths.used(path)
            if lately and path == self._path:
                self._consent_at = now
            self._nominated(path, ice, outcome.nominated)
        return True

    def answered(self, ask: Ask, answer: Answer, path: Path) -> bool:
        """The answer to a check of ours: the phone receives there. False if it proves nothing."""
        now = self._shared.loop.time()
        if not self._paths.answered(ask, answer, path, now, keep=self._path):
            return False
        if self._path is None or path == self._path:
            self._consent_at = now
        self._nominated(path, ask.ice, ask.nominated)
        return True

    def dtls(self, data: bytes) -> None:
        """A DTLS datagram from an address that has proved itself."""
        self._heard_dtls = True
        if not self._dtls.deliver(data):
            self._shared.counters.dtls_overflow += 1
        self._start_handshake()

    def protected(self, data: bytes) -> None:
        """An SRTP or SRTCP packet from an address that has proved itself."""
        receiver, counters = self._receiver, self._shared.counters
        if receiver is None or len(data) < rtp.HEADER_BYTES:
            counters.srtp_refused += 1
            return
        if rtcp.is_rtcp(data):
            plain = receiver.open_rtcp(data)
            if plain is None:
                counters.srtp_refused += 1
            else:
                self.reports.received(plain)
            return
        ssrc = int.from_bytes(data[8:12], "big")
        if ssrc != self._uplink_ssrc and self._uplink_ssrc is not None:
            counters.wrong_ssrc += 1
            return
        plain = receiver.open(data)
        packet = rtp.parse(plain) if plain is not None else None
        if packet is None:
            counters.srtp_refused += 1
            return
        now = self._shared.loop.time()
        numbers = self.uplink.received(packet, now)
        if numbers is not None:
            self._uplink_ssrc = ssrc
            self.reports.voice(ssrc, *numbers, now * CLOCK_HZ)

    def tick(self, now: float) -> float:
        """Consent, reports, held voice that has grown old; when there is something to do again at the latest."""
        lost_at = self._consent_at + self._shared.settings.consent_s
        if now > lost_at:
            self._shared.counters.consent_lost += 1
            self._gone("consent")
            return lost_at
        self.uplink.expire(now)
        again = self.reports.tick(now)
        if now >= self._settle_at:
            self._settle_at = float("inf")
            self._dtls.settle()
            self._shared.trimmer.settled()
            self._shared.busy(now)
        return min(again, lost_at, self._settle_at)

    def look_after(self, at: float) -> None:
        """There will be something for `tick` to do at ``at``."""
        self._edge.look_after(self, at)

    def forget_path(self, path: Path) -> None:
        """Another phone has shown that it is at this address."""
        self._paths.forget(path)

    def send_rtcp(self, packet: bytes) -> None:
        """Protect and send an RTCP packet."""
        if self._sender is not None and self._path is not None:
            self._send(self._sender.seal_rtcp(packet), self._path)
            self._shared.counters.rtcp_out += 1

    # --- path -------------------------------------------------------------------------------------------------

    def _nominated(self, path: Path, ice: IceLite, nominated: bool) -> None:
        """What the phone says of a path where it receives; till it nominates one, the first serves."""
        if not nominated and self._path is not None:
            return
        if ice is self._next_ice and nominated:
            self._edge.forget_ice(self._ice)
            self._ice, self._next_ice = ice, None
        if ice is self._ice or self._path is None:
            self._follow(path)

    def _follow(self, path: Path) -> None:
        if path == self._path:
            return
        self._consent_at = self._shared.loop.time()
        if self._path is not None:
            self._path[0].followers -= 1
            self._shared.counters.migrations += self.connected
        self._path = path
        path[0].followers += 1
        for slot in self.slots:
            slot.direct(*path)
        self._start_handshake()

    def _send(self, data: bytes, path: Path) -> None:
        try:
            path[0].socket.sendto(data, path[1])
        except OSError:
            self._shared.counters.send_refused += 1

    # --- DTLS -------------------------------------------------------------------------------------------------

    def _send_dtls(self, data: bytes) -> None:
        if self._path is not None:
            self._send(data, self._path)

    def _start_handshake(self) -> None:
        answer = self._answer
        if answer is None or self._handshake is not None or self._path is None or self._closed:
            return
        # As server the clock of the handshake starts with the phone's first datagram, not while it still tries paths.
        if answer.role == "client" or self._heard_dtls:
            self._handshake = self._shared.loop.create_task(self._shake_hands(answer))

    async def _shake_hands(self, answer: sdp.Answer) -> None:
        try:
            keys = await self._dtls.handshake(answer.role, answer.fingerprints, self._shared.settings.handshake_s)
        except DtlsRefused:
            self._shared.counters.dtls_refused += 1
            self._gone("dtls")
            return
        self._keyed(keys, answer)

    def _keyed(self, keys: SrtpKeys, answer: sdp.Answer) -> None:
        self._receiver = Receiver(keys)
        self._sender = sender = Sender(keys)
        for slot, line in zip(self.slots, answer.slots, strict=True):
            if line.accepted:
                slot.open(sender.stream(slot.ssrc), red=line.red)
                if self._path is not None:
                    slot.direct(*self._path)
        self.connected = True
        now = self._shared.loop.time()
        self._settle_at = now + SETTLE_S
        self.look_after(self._settle_at)
        self._shared.busy(now)
        self._shared.counters.connected += 1
        self._shared.counters.handshakes += 1
        self._owner.media_connected()
        self._warming = Warming(self._shared, self.slots)

    def _dtls_closed(self, proven: bool) -> None:
        if proven:
            self._gone("closed")
            return
        # One who is there checks its path every few seconds; one who has gone does not.
        doubted_until = self._shared.loop.time() + DOUBT_S
        self._consent_at = min(self._consent_at, doubted_until - self._shared.settings.consent_s)
        self.look_after(doubted_until)

    def _gone(self, reason: str) -> None:
        if not self._closed:
            self.close()
            self._owner.media_gone(reason)

    def _write_offer(self, ice: Credentials) -> str:
        settings = self._shared.settings
        return sdp.write(
            sdp.Offer(
                session=self._session,
                version=self._version,
                ice=ice,
                fingerprint=fingerprint(self._certificate),
                candidates=self._edge.candidates(),
                slots=tuple(slot.ssrc for slot in self.slots),
                ptime_ms=settings.ptime_ms,
                bitrate=settings.bitrate,
                audio_level=settings.audio_level,
            )
        )


def _fresh_ssrcs(count: int) -> list[int]:
    drawn: set[int] = set()
    while len(drawn) < count:
        drawn.add(1 + secrets.randbelow((1 << 32) - 1))
    return list(drawn)


__all__: list[Any] = ["Peer", "PeerOwner", "SdpRefused"]
