"""ICE-lite (RFC 8445 §2.5): answers connectivity checks, follows the pair the phone nominates; asks back who is there.

One `IceLite` is one set of credentials of one phone; an ICE restart makes a new one. It is pure: parsed messages go in,
a reply comes out. A reply is made only for a request that carries the integrity of our password. It is more than the
lite form asks for that a check is asked back (`poc_server.media.paths`): voice goes to nobody who has not answered.
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
TRANSACTION_BYTES = 12
_BINDING_REQUEST = b"\x00\x01"
_RESPONSE = b"\x01\x01"
_ERROR = b"\x01\x11"
_ATTRIBUTE = struct.Struct("!HH")
_KIND_USERNAME, _KIND_INTEGRITY, _KIND_FINGERPRINT = 0x0006, 0x0008, 0x8028
_KIND_USE_CANDIDATE, _KIND_CONTROLLED = 0x0025, 0x8029
_ASKS_AS_CONTROLLED = b"\x00\x24\x00\x04\x6e\x7f\xff\xff\x80\x29\x00\x08"
"""PRIORITY of a peer-reflexive candidate (RFC 8445 §7.1.1), and the head of ICE-CONTROLLED with its tie-breaker."""
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
            covered, integrity = _covered(data, at), value
        elif kind == _KIND_CONTROLLED:
            controlled = True
        elif kind == _KIND_USE_CANDIDATE:
            nominates = True
    ours, colon, theirs = username.partition(b":")
    if not colon or not integrity:
        return None
    return Request(data[8:HEADER_BYTES], ours, theirs, covered, integrity, controlled, nominates)


class Answer(NamedTuple):
    """A success response, read but not judged: ``covered`` is what its ``integrity`` was taken over."""

    transaction: bytes
    covered: bytes
    integrity: bytes


def parse_answer(data: bytes) -> Answer | None:
    """A response to a check of ours that can be judged, or ``None`` for whatever else."""
    if not HEADER_BYTES <= len(data) <= MAX_STUN_BYTES or data[:2] != _RESPONSE or data[4:8] != COOKIE:
        return None
    for kind, at, value in _attributes(data):
        if kind == _KIND_INTEGRITY:
            return Answer(data[8:HEADER_BYTES], _covered(data, at), value)
    return None


def _covered(data: bytes, at: int) -> bytes:
    """What the integrity at this place was taken over: a header whose length says that nothing follows it."""
    return data[:2] + (at - HEADER_BYTES + _INTEGRITY_BYTES).to_bytes(2, "big") + data[4:at]


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

    __slots__ = ("_keyed", "_ours", "_tie_breaker", "_transactions", "local", "remote")

    def __init__(self, local: Credentials) -> None:
        self.local = local
        self.remote: Credentials | None = None
        self._ours = local.ufrag.encode()
        # What depends on the key alone is done once: every phone asks every few seconds, and each answer takes two.
        self._keyed = _keyed(local)
        self._tie_breaker = secrets.token_bytes(8)
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

    def ask(self, transaction: bytes) -> bytes | None:
        """A check of our own, under the phone's password; None till that is known."""
        if self.remote is None:
            return None
        username = f"{self.remote.ufrag}:{self.local.ufrag}".encode()
        attributes = _ATTRIBUTE.pack(_KIND_USERNAME, len(username)) + username + bytes(-len(username) & 3)
        attributes += _ASKS_AS_CONTROLLED + self._tie_breaker
        return _packed(_BINDING_REQUEST, transaction, attributes, _keyed(self.remote))

    def proves(self, answer: Answer) -> bool:
        """Whether the phone itself made this answer to a check of ours."""
        if self.remote is None:
            return False
        return hmac.compare_digest(answer.integrity, _integrity(_keyed(self.remote), answer.covered))

    def _authentic(self, request: Request) -> bool:
        if not hmac.compare_digest(request.ours, self._ours):
            return False
        # Checks may overtake the answer on the signaling path: till it is here our password alone decides.
        if self.remote is not None and not hmac.compare_digest(request.theirs, self.remote.ufrag.encode()):
            return False
        return hmac.compare_digest(request.integrity, _integrity(self._keyed, request.covered))

    def _first_from(self, transaction: bytes, source: Hashable) -> bool:
        known = self._transactions.get(transaction)
        if known is not None:
            return known == source
        self._transactions[transaction] = source
        if len(self._transactions) > REMEMBERED_TRANSACTIONS:
            self._transactions.popitem(last=False)
        return True

    def _reply(self, request: Request, kind: bytes, attribute: bytes) -> bytes:
        return _packed(kind, request.transaction, attribute, self._keyed)


def _keyed(credentials: Credentials) -> hmac.HMAC:
    return hmac.new(credentials.password.encode(), digestmod="sha1")


def _integrity(keyed: hmac.HMAC, covered: bytes) -> bytes:
    """The 20 bytes of MESSAGE-INTEGRITY over ``covered``."""
    copy = keyed.copy()
    copy.update(covered)
    return copy.digest()


def _packed(kind: bytes, transaction: bytes, attributes: bytes, keyed: hmac.HMAC) -> bytes:
    """A message with MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §14.5, §14.7).

    Packed here rather than by a STUN library, as requests are read here: every phone asks every few seconds.
    """
    head = COOKIE + transaction + attributes
    size = len(attributes)
    covered = kind + (size + _INTEGRITY_BYTES).to_bytes(2, "big") + head
    integrity = _INTEGRITY + _integrity(keyed, covered)
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
