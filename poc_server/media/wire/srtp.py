"""SRTP (RFC 3711) with AES-GCM (RFC 7714): one sender per key, whose packet index is owned here and never repeated.

Sending is our own: sixteen lines over one AES-GCM call cost half of what the general library spends on a packet, and
the index stays in one place. Receiving and all RTCP is libsrtp's, which is also the oracle of the tests. Phones that
negotiate the older AES-CM profile are sent to through libsrtp as well.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import pylibsrtp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from poc_server.media.native import Key, Sealer

MAX_INDEX = (1 << 48) - 1
"""Packets under one key (RFC 3711 §9.2): at 50 a second, 178,000 years."""
MAX_PROTECTED_BYTES = 1500
HEADER_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = HEADER_BYTES + TAG_BYTES
WINDOW = 64
"""How far behind the highest index a late packet may come; also the replay window of common receivers."""
_HEADER = struct.Struct("!BBHII")
_TIMESTAMP_MASK = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class SrtpKeys:
    """What a DTLS handshake exported: master keys and salts of both directions, and libsrtp's number of the profile."""

    profile: int
    gcm: bool
    send_key: bytes
    send_salt: bytes
    receive_key: bytes
    receive_salt: bytes

    def __repr__(self) -> str:  # keys must not reach a log through a traceback
        return f"SrtpKeys(profile={self.profile}, …)"


class IndexRepeated(AssertionError):
    """Our own mistake, never a phone's: a packet index under one key was about to be used twice."""


def derive(master_key: bytes, master_salt: bytes, label: int, size: int) -> bytes:
    """A session key or salt of ``size`` bytes (RFC 3711 §4.3.1, key derivation rate 0)."""
    counter = bytearray(master_salt.ljust(14, b"\0") + b"\0\0")
    counter[7] ^= label
    return Cipher(algorithms.AES(master_key), modes.CTR(bytes(counter))).encryptor().update(bytes(size))


class Stream(Sealer):
    """One outgoing SSRC under one key. A packet is sealed in the order of sending, each index once.

    The native kernel seals the packets that follow each other; ``highest`` is its account and ours.
    """

    __slots__ = (
        "_body",
        "_buffer",
        "_encrypt",
        "_encrypt_into",
        "_head",
        "_holes",
        "_nonce",
        "_size",
        "ssrc",
    )

    def __init__(self, key: Key, cipher: AESGCM, salt: bytes, ssrc: int) -> None:
        # RFC 7714 §8.1: 16 zero bits, SSRC, rollover counter and sequence number, exclusive-or the salt.
        nonce = int.from_bytes(salt, "big") ^ ssrc << 48
        super().__init__(key, nonce.to_bytes(12, "big"), ssrc)
        self.ssrc = ssrc
        self._encrypt = cipher.encrypt
        self._encrypt_into = cipher.encrypt_into
        self._nonce = nonce
        self._holes: set[int] = set()
        self._buffer = bytearray()
        self._head = self._body = memoryview(self._buffer)
        self._size = -1

    def seal(self, kind: int, index: int, timestamp: int, payload: bytes) -> bytes:
        """A protected packet. ``kind`` is marker and payload type, ``index`` counts on past 2^16.

        Raises:
            IndexRepeated: ``index`` was used, or is too old to know.
        """
        if index == self.highest + 1:
            self.highest = index
        else:
            self._claim(index)
        header = _HEADER.pack(0x80, kind, index & 0xFFFF, timestamp & _TIMESTAMP_MASK, self.ssrc)
        return header + self._encrypt((self._nonce ^ index).to_bytes(12, "big"), payload, header)

    def bind(self, buffer: bytearray) -> None:
        """Where `place` puts packets."""
        self._buffer = buffer
        self._head = memoryview(buffer)[:HEADER_BYTES]
        self._size = -1

    def place(self, kind: int, index: int, timestamp: int, payload: bytes) -> bool:
        """`seal` into the buffer; whether the packet's length (payload and `OVERHEAD_BYTES`) has changed.

        ``payload`` must fit: `OVERHEAD_BYTES` less than the buffer.
        """
        if index == self.highest + 1:
            self.highest = index
        else:
            self._claim(index)
        changed = len(payload) != self._size
        if changed:
            self._size = len(payload)
            self._body = memoryview(self._buffer)[HEADER_BYTES : OVERHEAD_BYTES + self._size]
        _HEADER.pack_into(self._buffer, 0, 0x80, kind, index & 0xFFFF, timestamp & _TIMESTAMP_MASK, self.ssrc)
        self._encrypt_into((self._nonce ^ index).to_bytes(12, "big"), payload, self._head, self._body)
        return changed

    def _claim(self, index: int) -> None:
        """Any index but the next: one ahead leaves holes, one behind must fill one of them."""
        highest = self.highest
        if index > highest and 0 <= index <= MAX_INDEX:
            if highest >= 0:
                self._holes.update(range(max(highest + 1, index - WINDOW), index))
                if len(self._holes) > 2 * WINDOW:
                    self._holes = {hole for hole in self._holes if hole > index - WINDOW}
            self.highest = index
        elif index in self._holes and index > highest - WINDOW:
            self._holes.remove(index)
        else:
            raise IndexRepeated(index)


class LibsrtpStream:
    """The same for the AES-CM profile. Its session refuses repeats by itself."""

    __slots__ = ("_protect", "ssrc")

    def __init__(self, session: pylibsrtp.Session, ssrc: int) -> None:
        self.ssrc = ssrc
        self._protect = session.protect

    def seal(self, kind: int, index: int, timestamp: int, payload: bytes) -> bytes:
        """See `Stream.seal`."""
        header = _HEADER.pack(0x80, kind, index & 0xFFFF, timestamp & _TIMESTAMP_MASK, self.ssrc)
        try:
            return bytes(self._protect(header + payload))
        except pylibsrtp.Error as error:
            raise IndexRepeated(index) from error


def _session(profile: int, key: bytes, direction: int) -> pylibsrtp.Session:
    policy = pylibsrtp.Policy(key=key, ssrc_type=direction, srtp_profile=profile)
    policy.allow_repeat_tx = False
    policy.window_size = 128
    return pylibsrtp.Session(policy)


class Sender:
    """Everything sent to one phone. Made once per `SrtpKeys`; hands out one stream per SSRC and no more."""

    def __init__(self, keys: SrtpKeys) -> None:
        self._keys = keys
        self._streams: dict[int, Stream | LibsrtpStream] = {}
        self._rtcp: pylibsrtp.Session | None = None
        self._key: Key | None = None
        self._cipher: AESGCM | None = None
        self._salt = b""
        if keys.gcm:
            key = derive(keys.send_key, keys.send_salt, 0, len(keys.send_key))
            self._key = Key(key)
            self._cipher = AESGCM(key)
            self._salt = derive(keys.send_key, keys.send_salt, 2, 12)

    def stream(self, ssrc: int) -> Stream | LibsrtpStream:
        """The one stream of ``ssrc``."""
        known = self._streams.get(ssrc)
        if known is None:
            if self._key is not None and self._cipher is not None:
                known = Stream(self._key, self._cipher, self._salt, ssrc)
            else:
                known = LibsrtpStream(self._libsrtp(), ssrc)
            self._streams[ssrc] = known
        return known

    def seal_rtcp(self, packet: bytes) -> bytes:
        """A protected RTCP packet. RTCP has keys and an index of its own (RFC 3711 §3.4)."""
        return bytes(self._libsrtp().protect_rtcp(packet))

    def _libsrtp(self) -> pylibsrtp.Session:
        if self._rtcp is None:
            keys = self._keys
            self._rtcp = _session(keys.profile, keys.send_key + keys.send_salt, pylibsrtp.Policy.SSRC_ANY_OUTBOUND)
        return self._rtcp


class Receiver:
    """Everything received from one phone. What is not authentic, repeated or too old comes out as ``None``."""

    def __init__(self, keys: SrtpKeys) -> None:
        self._session = _session(keys.profile, keys.receive_key + keys.receive_salt, pylibsrtp.Policy.SSRC_ANY_INBOUND)

    def open(self, packet: bytes) -> bytes | None:
        """The RTP packet inside, or ``None``."""
        if len(packet) > MAX_PROTECTED_BYTES:
            return None
        try:
            return bytes(self._session.unprotect(packet))
        except pylibsrtp.Error:
            return None

    def open_rtcp(self, packet: bytes) -> bytes | None:
        """The RTCP packet inside, or ``None``."""
        if len(packet) > MAX_PROTECTED_BYTES:
            return None
        try:
            return bytes(self._session.unprotect_rtcp(packet))
        except pylibsrtp.Error:
            return None
