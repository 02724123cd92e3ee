"""The DTLS client of a phone and the SRTP keys it yields (RFC 5764). One certificate and context for the whole fleet.

A context per phone would cost 110 KB and half a millisecond each; the server cannot tell the difference, for it checks
the fingerprint of the answer only.
"""

from __future__ import annotations

import datetime as dt
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from pylibsrtp import Policy, Session

MTU: Final = 1_200
_EXPORTER: Final = b"EXTRACTOR-dtls_srtp"
_RECORD: Final = struct.Struct("!11xH")


class HandshakeFailed(Exception):
    """DTLS did not come about: refused, a foreign certificate, or no common SRTP profile."""


@dataclass(frozen=True, slots=True)
class _Profile:
    number: int
    key: int
    salt: int


_PROFILES: Final = {
    b"SRTP_AEAD_AES_256_GCM": _Profile(Policy.SRTP_PROFILE_AEAD_AES_256_GCM, 32, 12),
    b"SRTP_AEAD_AES_128_GCM": _Profile(Policy.SRTP_PROFILE_AEAD_AES_128_GCM, 16, 12),
    b"SRTP_AES128_CM_SHA1_80": _Profile(Policy.SRTP_PROFILE_AES128_CM_SHA1_80, 16, 14),
}


class Credentials:
    """The fleet's certificate and TLS context. ``fingerprint`` goes into each answer."""

    def __init__(self) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = _self_signed(key)
        self.fingerprint = _digest(certificate)
        self.context = SSL.Context(SSL.DTLS_METHOD)
        self.context.set_options(SSL.OP_NO_TICKET | SSL.OP_NO_QUERY_MTU)
        # The certificate is judged by its fingerprint after the handshake, not by a chain.
        self.context.set_verify(SSL.VERIFY_PEER, lambda *_: True)
        self.context.use_certificate(certificate)
        self.context.use_privatekey(key)
        self.context.set_tlsext_use_srtp(b":".join(_PROFILES))


class DtlsClient:
    """One handshake over datagrams that the caller carries, then the SRTP sessions.

    ``receiver`` is made only when asked for: most phones of a fleet count packets and never look inside.
    """

    def __init__(self, credentials: Credentials, fingerprint: str, send: Callable[[bytes], object]) -> None:
        self._fingerprint = fingerprint
        self._send = send
        self._tls = SSL.Connection(credentials.context, None)
        self._tls.set_connect_state()
        self._tls.set_ciphertext_mtu(MTU)
        self._profile: _Profile | None = None
        self._keys = b""

    @property
    def connected(self) -> bool:
        """The handshake is complete and the server is who the offer said."""
        return self._profile is not None

    def step(self) -> None:
        """Go on with the handshake. Raises `HandshakeFailed`."""
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            self._flush()
            return
        except SSL.Error as problem:
            self._flush()
            raise HandshakeFailed(str(problem) or "the handshake was refused") from None
        self._flush()
        self._finish()

    def receive(self, datagram: bytes) -> bool:
        """Take a DTLS datagram. False when the server has closed the connection. Raises `HandshakeFailed`."""
        self._tls.bio_write(datagram)
        if not self.connected:
            self.step()
            return True
        try:
            self._tls.recv(2048)
        except SSL.ZeroReturnError:
            return False
        except SSL.Error:
            pass
        self._flush()
        return True

    def retransmit_in(self) -> float | None:
        """Seconds until `retransmit` is due, None when nothing waits for an answer."""
        return None if self.connected else self._tls.DTLSv1_get_timeout()

    def retransmit(self) -> None:
        """Send the last flight again when its time has come."""
        self._tls.DTLSv1_handle_timeout()
        self._flush()

    def close(self) -> None:
        """Tell the server that this phone leaves."""
        try:
            self._tls.shutdown()
        except SSL.Error:
            return
        self._flush()

    def sender(self) -> Session:
        """The SRTP session of what this phone sends. To be made once: an index must never repeat under one key."""
        return self._session(0, Policy.SSRC_ANY_OUTBOUND)

    def receiver(self) -> Session:
        """The SRTP session of what the server sends."""
        return self._session(1, Policy.SSRC_ANY_INBOUND)

    def _session(self, side: int, direction: int) -> Session:
        profile = self._profile
        if profile is None:
            raise HandshakeFailed("no keys before the handshake is complete")
        keys, salts = self._keys[: 2 * profile.key], self._keys[2 * profile.key :]
        key = keys[side * profile.key :][: profile.key] + salts[side * profile.salt :][: profile.salt]
        return Session(Policy(key=key, ssrc_type=direction, srtp_profile=profile.number))

    def _finish(self) -> None:
        certificate = self._tls.get_peer_certificate(as_cryptography=True)
        if certificate is None or _digest(certificate) != self._fingerprint:
            raise HandshakeFailed("the server's certificate is not the one of its offer")
        profile = _PROFILES.get(self._tls.get_selected_srtp_profile())
        if profile is None:
            raise HandshakeFailed("no common SRTP profile")
        self._keys = self._tls.export_keying_material(_EXPORTER, 2 * (profile.key + profile.salt))
        self._profile = profile

    def _flush(self) -> None:
        try:
            flight = self._tls.bio_read(16_384)
        except SSL.Error:
            return
        for datagram in _datagrams(flight):
            self._send(datagram)


def _datagrams(flight: bytes) -> list[bytes]:
    """Cut a flight between records, as many records to a datagram as fit: OpenSSL's memory BIO glues them together."""
    out, start, at = [], 0, 0
    while at + 13 <= len(flight):
        end = at + 13 + _RECORD.unpack_from(flight, at)[0]
        if end - start > MTU and at > start:
            out.append(flight[start:at])
            start = at
        at = end
    return [*out, flight[start:]] if start < len(flight) else out


def _digest(certificate: x509.Certificate) -> str:
    return certificate.fingerprint(hashes.SHA256()).hex(":").upper()


def _self_signed(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "phone")])
    now = dt.datetime.now(tz=dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
