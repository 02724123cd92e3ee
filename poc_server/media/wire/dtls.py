"""DTLS with one phone. The only file that knows private names of aiortc; `tests/media/test_dtls.py` guards them.

aiortc's `RTCDtlsTransport` does the handshake over a transport of ours. Closed here are the traps that were measured:
one TLS context for all phones (22 KB a phone instead of 110), a ClientHello that comes again is answered at once with
the flight already made, datagrams that come early are kept, a handshake ends after a time.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from collections import deque
from collections.abc import Callable
from typing import Any, Literal, cast

from aiortc import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport, RTCIceTransport
from aiortc.rtcdtlstransport import SRTP_PROFILES, State
from OpenSSL import SSL

from poc_server.media.wire.srtp import SrtpKeys

MAX_EARLY_DATAGRAMS = 16
"""Kept per phone until they can be worked on: a ClientHello comes in two, a flight of the phone in up to four."""
MAX_RESENT_FLIGHTS = 16
MAX_DTLS_BYTES = 1500
MTU = 1200
MAX_FLIGHT_BYTES = 16_384
RECORD_HEADER_BYTES = 13
RENEW_BEFORE = dt.timedelta(days=15)
_ALERT_RECORD = 21
_HANDSHAKE_RECORD = 22
_CLIENT_HELLO = 1
_LABEL = b"EXTRACTOR-dtls_srtp"

Role = Literal["client", "server"]


class DtlsRefused(Exception):
    """The handshake came to nothing: wrong certificate, no common SRTP profile, broken records, no time left."""


class _SharedContext(RTCCertificate):
    """A certificate whose TLS context is made once."""

    _context: SSL.Context | None = None

    def _create_ssl_context(self, srtp_profiles: list[Any]) -> SSL.Context:
        if self._context is None:
            context = super()._create_ssl_context(srtp_profiles)
            # Nobody resumes a DTLS session here, and a shared context would keep 20,000 of them.
            context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
            context.set_mode(SSL.MODE_RELEASE_BUFFERS)
            self._context = context
        return self._context


class Identity:
    """The server's certificate of this run, known to phones by its fingerprint in the offer."""

    def __init__(self) -> None:
        self._certificate = _SharedContext.generateCertificate()

    @property
    def certificate(self) -> RTCCertificate:
        """The certificate for new phones; renewed well before it expires, running phones keep theirs."""
        left = self._certificate.expires - dt.datetime.now(dt.UTC)
        if left < RENEW_BEFORE:
            self._certificate = _SharedContext.generateCertificate()
        return self._certificate


def fingerprint(certificate: RTCCertificate) -> str:
    """The value of ``a=fingerprint:sha-256`` for ``certificate``."""
    return next(str(one.value) for one in certificate.getFingerprints() if one.algorithm == "sha-256")


def cut(flight: bytes) -> list[bytes]:
    """Datagrams of a flight, as many whole records in each as fit: OpenSSL's memory BIO glues them together."""
    datagrams, start, at = [], 0, 0
    while at + RECORD_HEADER_BYTES <= len(flight):
        end = at + RECORD_HEADER_BYTES + int.from_bytes(flight[at + 11 : at + 13], "big")
        if end - start > MTU and at > start:
            datagrams.append(flight[start:at])
            start = at
        at = end
    return [*datagrams, flight[start:]] if start < len(flight) else datagrams


class _Lane:
    """What `RTCDtlsTransport` takes for an ICE transport: datagrams of one phone, in order, bounded."""

    role = "controlled"

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send_datagram = send
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._closed = False

    def deliver(self, data: bytes) -> bool:
        """Queue a datagram; false if the queue is full."""
        if self._closed or len(self._queue) >= MAX_EARLY_DATAGRAMS:
            return False
        self._queue.append(data)
        self._wake()
        return True

    def close(self) -> None:
        self._closed = True
        self._wake()

    async def _recv(self) -> bytes:
        while not self._queue:
            if self._closed:
                raise ConnectionError
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self._queue.popleft()

    async def _send(self, data: bytes) -> None:
        if self._closed:
            raise ConnectionError
        self._send_datagram(data)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class _Transport(RTCDtlsTransport):
    """aiortc's transport, without its SRTP sessions, remembering the flight it sent last."""

    def __init__(self, lane: _Lane, certificate: RTCCertificate) -> None:
        super().__init__(cast(RTCIceTransport, lane), [certificate])
        self.keys: SrtpKeys | None = None
        self.flight: list[bytes] = []
        self.hello = -1
        self.answered_hello = -1

    @property
    def _tls(self) -> SSL.Connection:
        return cast(SSL.Connection, self._ssl)

    async def _write_ssl(self) -> None:
        try:
            flight = cut(self._tls.bio_read(MAX_FLIGHT_BYTES))
        except SSL.Error:
            return
        if flight:
            self.flight = flight
            self.answered_hello = self.hello
        for datagram in flight:
            await self._transport._send(datagram)

    async def _do_handshake(self) -> None:
        self._tls.set_ciphertext_mtu(MTU)
        await super()._do_handshake()

    def _setup_srtp(self) -> None:
        chosen = self._tls.get_selected_srtp_profile()
        profile = next((one for one in self._srtp_profiles if one.openssl_profile == chosen), None)
        if profile is None:
            self._set_state(State.FAILED)
            return
        size = profile.key_length + profile.salt_length
        material = self._tls.export_keying_material(_LABEL, 2 * size)
        ours = 1 if self._role == "server" else 0

        def half(which: int) -> tuple[bytes, bytes]:
            both = profile.get_key_and_salt(material, which)
            return both[: profile.key_length], both[profile.key_length :]

        self.keys = SrtpKeys(profile.libsrtp_profile, b"GCM" in profile.openssl_profile, *half(ours), *half(1 - ours))

    def farewell(self) -> list[bytes]:
        """The datagrams that tell the phone we close."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._ssl is None or self._state is not State.CONNECTED:
            return []
        try:
            self._ssl.shutdown()
            return cut(self._ssl.bio_read(MAX_FLIGHT_BYTES))
        except SSL.Error:
            return []


class DtlsSession:
    """One phone's DTLS. ``send`` takes datagrams for its address.

    ``closed`` is called when the phone says goodbye, with whether that is proven (see `settle`).
    """

    def __init__(
        self, certificate: RTCCertificate, send: Callable[[bytes], None], closed: Callable[[bool], None]
    ) -> None:
        self._send = send
        self._closed = closed
        self._lane: _Lane | None = _Lane(send)
        self._transport: _Transport | None = _Transport(self._lane, certificate)
        self._farewell: list[bytes] = []
        self._resent = 0
        self._done = False

    def deliver(self, data: bytes) -> bool:
        """A datagram of the phone; false if it had to be dropped."""
        if len(data) > MAX_DTLS_BYTES:
            return False
        if self._lane is None:
            # An alert of an encrypted epoch, but no keys any more to prove it with.
            if data[0] == _ALERT_RECORD and data[3:5] != b"\0\0":
                self._closed(False)
            return True
        if self._repeats_hello(data):
            return self._resend(data)
        return self._lane.deliver(data)

    async def handshake(self, role: Role, fingerprints: tuple[tuple[str, str], ...], limit_s: float) -> SrtpKeys:
        """Come to keys with the phone whose certificate has one of ``fingerprints`` (algorithm, value).

        Raises:
            DtlsRefused: it did not work out within ``limit_s``.
        """
        transport = self._transport
        if transport is None:
            raise DtlsRefused("closed")
        transport._set_role(role)
        parameters = RTCDtlsParameters(
            fingerprints=[RTCDtlsFingerprint(algorithm=algorithm, value=value) for algorithm, value in fingerprints]
        )
        try:
            async with asyncio.timeout(limit_s):
                await transport.start(parameters)
        except Exception as error:  # a stranger's certificate is parsed there: whatever is raised is one refusal
            raise DtlsRefused(type(error).__name__) from error
        if transport.keys is None or transport._state is not State.CONNECTED:
            raise DtlsRefused(str(transport.state))
        self._done = True
        transport.flight = []
        transport.on("statechange", self._changed)
        return transport.keys

    def settle(self) -> None:
        """Free the TLS state, 90 KB a phone, once the phone cannot miss our last flight any more.

        Nothing is said over DTLS after the handshake but goodbye: ours is made now and kept; the phone's, which can
        no longer be proven, is then only a reason to doubt that it is there.
        """
        if self._done and self._transport is not None:
            self._farewell = self._end()

    def close(self) -> None:
        """Say goodbye and forget."""
        farewell = self._farewell or self._end()
        self._farewell = []
        for datagram in farewell:
            self._send(datagram)

    def _end(self) -> list[bytes]:
        transport, lane = self._transport, self._lane
        if transport is None or lane is None:
            return []
        transport.remove_all_listeners()
        farewell = transport.farewell()
        lane.close()
        self._transport = self._lane = None
        return farewell

    def _repeats_hello(self, data: bytes) -> bool:
        # RFC 6347 §4.3.2: thirteen bytes of record header, then type (1), length (3), message number (2) and fragment
        # offset (3). OpenSSL would answer a repeated ClientHello only when its own timer runs out, a second later.
        # A ClientHello with a new number answers a HelloRetryRequest and is not a repeat.
        transport = self._transport
        if self._done or transport is None or len(data) < 25:
            return False
        if data[0] != _HANDSHAKE_RECORD or data[13] != _CLIENT_HELLO:
            return False
        number = int.from_bytes(data[17:19], "big")
        if number <= transport.answered_hello:
            return True
        transport.hello = number
        return False

    def _resend(self, data: bytes) -> bool:
        # A ClientHello in two datagrams repeats as two: the first fragment (offset 0) is answered, the other is not.
        if data[19:22] == b"\0\0\0" and self._transport is not None:
            if self._resent >= MAX_RESENT_FLIGHTS:
                return False
            self._resent += 1
            for datagram in self._transport.flight:
                self._send(datagram)
        return True

    def _changed(self) -> None:
        if self._transport is not None and self._transport._state in (State.CLOSED, State.FAILED):
            self._closed(True)


class HandshakeGate:
    """Lets few DTLS datagrams of connecting phones through per turn of the loop: voice is never behind a storm."""

    MAX_WAITING = 20_000

    def __init__(self, per_tick: int) -> None:
        self._per_tick = per_tick
        self._waiting: deque[tuple[Callable[[bytes], object], bytes]] = deque()
        self._armed = False

    def enter(self, deliver: Callable[[bytes], object], data: bytes) -> bool:
        """``deliver(data)`` when it is its turn; false if too many wait."""
        if len(self._waiting) >= self.MAX_WAITING:
            return False
        self._waiting.append((deliver, data))
        if not self._armed:
            self._armed = True
            asyncio.get_running_loop().call_soon(self._release)
        return True

    def _release(self) -> None:
        for _ in range(min(self._per_tick, len(self._waiting))):
            deliver, data = self._waiting.popleft()
            deliver(data)
        self._armed = bool(self._waiting)
        if self._armed:
            asyncio.get_running_loop().call_soon(self._release)


PROFILES = tuple(one.openssl_profile.decode() for one in SRTP_PROFILES)
"""SRTP profiles offered, best first."""
