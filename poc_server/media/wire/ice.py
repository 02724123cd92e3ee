"""ICE-lite (RFC 8445 §2.5): answers connectivity checks, follows the pair the phone nominates, asks nothing itself.

One `IceLite` is one set of credentials of one phone; an ICE restart makes a new one. It is pure: parsed messages and
the time go in, a reply comes out. A reply is made only for a request that carries the integrity of our password, so
nothing is ever sent to an address that has not proved itself.
"""

from __future__ import annotations

import hmac
import secrets
import socket
import struct
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

REMEMBERED_TRANSACTIONS = 128
"""Some five minutes of a settled phone's checks; a captured request is of no use to another address for so long."""
COOKIE = b"\x21\x12\xa4\x42"
HEADER_BYTES = 20
_BINDING_REQUEST = b"\x00\x01"
_RESPONSE = b"\x01\x01"
_ERROR = b"\x01\x11"
_ATTRIBUTE = struct.Struct("!HH")
_KIND_USERNAME, _KIND_INTEGRITY, _KIND_FINGERPRINT = 0x0006, 0x0008, 0x8028
_KIND_USE_CANDIDATE, _KIND_CONTROLLED = 0x0025, 0x8029
_INTEGRITY = b"\x00\x08\x00\x14"
_INTEGRITY_BYTES = 24
_FINGERPRINT = b"\x80\x28\x00\x04"
_FINGERPRINT_BYTES = 8
_FINGERPRINT_XOR = 0x5354554E
_ROLE_CONFLICT = b"\x00\x09\x00\x11\x00\x00\x04\x57Role Conflict\0\0\0"
"""ERROR-CODE 487 (RFC 8445 §7.3.1.1), padded to four bytes."""
_PORT_PAD = int.from_bytes(COOKIE[:2], "big")
MAX_STUN_BYTES = 1280
MAX_ATTRIBUTES = 16
"""Of a request that is read; browsers send eight."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user name fragment and a password, valid until the next ICE restart."""

    ufrag: str
    password: str

    @classmethod
    def fresh(cls) -> Credentials:
        """New random ones: 48 bits to find a phone by, 128 bits to prove it."""
        return cls(secrets.token_hex(6), secrets.token_hex(16))


@dataclass(frozen=True, slots=True)
class Check:
    """What a valid connectivity check leads to."""

    reply: bytes
    nominated: bool


class Request(NamedTuple):
    """A binding request, read but not judged. ``ours`` and ``theirs`` are the halves of its USERNAME (RFC 8445 §7.2.2).

    ``covered`` is what its ``integrity`` was taken over (RFC 8489 §14.5), ``nominates`` that it has USE-CANDIDATE.
    """

    transaction: bytes
    ours: bytes
    theirs: bytes
    covered: bytes
    integrity: bytes
    controlled: bool
    nominates: bool


def parse_request(data: bytes) -> Request | None:
    """A binding request that can be judged, or ``None`` for whatever else (RFC 8489 §5, §14).

    What follows the integrity is not covered by it and is passed over, but for a fingerprint, which must be right.
    """
    if not HEADER_BYTES <= len(data) <= MAX_STUN_BYTES or data[:2] != _BINDING_REQUEST or data[4:8] != COOKIE:
        return None
    username = covered = integrity = b""
    controlled = nominates = False
    for kind, at, value in _attributes(data):
        if kind == _KIND_FINGERPRINT:
            if value != _fingerprint(data[:at]):
                return None
        elif integrity:
            continue
        elif kind == _KIND_USERNAME:
            username = username or value
        elif kind == _KIND_INTEGRITY:
            # Taken over a header whose length says that nothing follows the integrity.
            covered = data[:2] + (at - HEADER_BYTES + _INTEGRITY_BYTES).to_bytes(2, "big") + data[4:at]
            integrity = value
        elif kind == _KIND_CONTROLLED:
            controlled = True
        elif kind == _KIND_USE_CANDIDATE:
            nominates = True
    ours, colon, theirs = username.partition(b":")
    if not colon or not integrity:
        return None
    return Request(data[8:HEADER_BYTES], ours, theirs, covered, integrity, controlled, nominates)


def _attributes(data: bytes) -> list[tuple[int, int, bytes]]:
    """Kind, place and value of each attribute; empty when they are not whole, or too many."""
    found, at, size = [], HEADER_BYTES, len(data)
    if int.from_bytes(data[2:4], "big") != size - HEADER_BYTES:
        return []
    for _ in range(MAX_ATTRIBUTES):
        if at + 4 > size:
            break
        kind, length = _ATTRIBUTE.unpack_from(data, at)
        found.append((kind, at, data[at + 4 : at + 4 + length]))
        at += 4 + length + (-length & 3)
    return found if at == size else []


def _fingerprint(covered: bytes) -> bytes:
    return (crc32(covered) ^ _FINGERPRINT_XOR).to_bytes(4, "big")


class IceLite:
    """Our side of one set of ICE credentials. ``remote`` is the phone's, known once it has answered."""

    __slots__ = ("_keyed", "_ours", "_transactions", "local", "remote")

    def __init__(self, local: Credentials) -> None:
        self.local = local
        self.remote: Credentials | None = None
        self._ours = local.ufrag.encode()
        # What depends on the key alone is done once: every phone asks every few seconds, and each answer takes two.
        self._keyed = hmac.new(local.password.encode(), digestmod="sha1")
        self._transactions: OrderedDict[bytes, Hashable] = OrderedDict()

    def check(self, request: Request, source: Hashable, mapped: tuple[str, int]) -> Check | None:
        """Judge a binding request from ``source``, seen there as ``mapped`` (host, port); ``None`` refuses it silently.

        ``source`` names the address and the socket: a transaction known from another one is a replay.
        """
        if not self._authentic(request) or not self._first_from(request.transaction, source):
            return None
        if request.controlled:
            return Check(self._reply(request, _ERROR, _ROLE_CONFLICT), False)
        host, port = mapped
        reply = self._reply(request, _RESPONSE, _xor_mapped(host, port, request.transaction))
        return Check(reply, request.nominates)

    def _authentic(self, request: Request) -> bool:
        if not hmac.compare_digest(request.ours, self._ours):
            return False
        # Checks may overtake the answer on the signaling path: till it is here our password alone decides.
        if self.remote is not None and not hmac.compare_digest(request.theirs, self.remote.ufrag.encode()):
            return False
        return hmac.compare_digest(request.integrity, self._integrity(request.covered))

    def _first_from(self, transaction: bytes, source: Hashable) -> bool:
        known = self._transactions.get(transaction)
        if known is not None:
            return known == source
        self._transactions[transaction] = source
        if len(self._transactions) > REMEMBERED_TRANSACTIONS:
            self._transactions.popitem(last=False)
        return True

    def _integrity(self, covered: bytes) -> bytes:
        """The 20 bytes of MESSAGE-INTEGRITY over ``covered``."""
        keyed = self._keyed.copy()
        keyed.update(covered)
        return keyed.digest()

    def _reply(self, request: Request, kind: bytes, attribute: bytes) -> bytes:
        """A response with one attribute, MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §14.5, §14.7).

        Packed here rather than by a STUN library, as requests are read here: every phone asks every few seconds.
        """
        head = COOKIE + request.transaction + attribute
        size = len(attribute)
        covered = kind + (size + _INTEGRITY_BYTES).to_bytes(2, "big") + head
        integrity = _INTEGRITY + self._integrity(covered)
        whole = kind + (size + _INTEGRITY_BYTES + _FINGERPRINT_BYTES).to_bytes(2, "big") + head + integrity
        return whole + _FINGERPRINT + _fingerprint(whole)


def _xor_mapped(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489 §14.2)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = socket.inet_pton(family, host)
    pad = (COOKIE + transaction)[: len(address)]
    hidden = (int.from_bytes(address, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(address), "big")
    kind = b"\0\x02" if len(address) == 16 else b"\0\x01"
    return b"\0\x20" + (4 + len(address)).to_bytes(2, "big") + kind + (port ^ _PORT_PAD).to_bytes(2, "big") + hidden
