"""ICE-lite (RFC 8445 §2.5): answers connectivity checks, follows the pair the phone nominates, asks nothing itself.

One `IceLite` is one set of credentials of one phone; an ICE restart makes a new one. It is pure: parsed messages and
the time go in, a reply comes out. A reply is made only for a request that carries the integrity of our password, so
nothing is ever sent to an address that has not proved itself.
"""

from __future__ import annotations

import hmac
import secrets
import socket
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from zlib import crc32

from aioice import stun

REMEMBERED_TRANSACTIONS = 128
"""Some five minutes of a settled phone's checks; a captured request is of no use to another address for so long."""
COOKIE = stun.COOKIE.to_bytes(4, "big")
_BINDING_REQUEST = b"\x00\x01"
_RESPONSE = b"\x01\x01"
_ERROR = b"\x01\x11"
_USERNAME = b"\x00\x06"
_INTEGRITY = b"\x00\x08\x00\x14"
_INTEGRITY_BYTES = 24
_FINGERPRINT = b"\x80\x28\x00\x04"
_FINGERPRINT_BYTES = 8
_ROLE_CONFLICT = b"\x00\x09\x00\x11\x00\x00\x04\x57Role Conflict\0\0\0"
"""ERROR-CODE 487 (RFC 8445 §7.3.1.1), padded to four bytes."""
_PORT_PAD = stun.COOKIE >> 16
MAX_STUN_BYTES = 1280
MAX_ATTRIBUTES = 16
"""Looked at for the USERNAME; browsers put it first."""


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


def parse_request(data: bytes) -> stun.Message | None:
    """A binding request, or ``None`` for whatever else: the one wrapper round the STUN parser."""
    if len(data) > MAX_STUN_BYTES or data[:2] != _BINDING_REQUEST or data[4:8] != COOKIE:
        return None
    try:
        return stun.parse_message(data)
    except Exception:
        return None


def asked_ufrag(data: bytes) -> str | None:
    """Our half of the USERNAME of a binding request (RFC 8445 §7.2.2): how a phone is found at first.

    Read without parsing the rest, so that a stranger's request costs little.
    """
    if len(data) > MAX_STUN_BYTES or data[:2] != _BINDING_REQUEST or data[4:8] != COOKIE:
        return None
    at = 20
    for _ in range(MAX_ATTRIBUTES):
        kind, size = data[at : at + 2], int.from_bytes(data[at + 2 : at + 4], "big")
        at += 4
        if at + size > len(data) or not kind:
            return None
        if kind == _USERNAME:
            ours, colon, _ = data[at : at + size].partition(b":")
            return ours.decode("ascii", "replace") if colon else None
        at += (size + 3) & ~3
    return None


class IceLite:
    """Our side of one set of ICE credentials. ``remote`` is the phone's, known once it has answered."""

    __slots__ = ("_key", "_transactions", "local", "remote")

    def __init__(self, local: Credentials) -> None:
        self.local = local
        self.remote: Credentials | None = None
        self._key = local.password.encode()
        self._transactions: OrderedDict[bytes, Hashable] = OrderedDict()

    def check(self, message: stun.Message, source: Hashable, mapped: tuple[str, int]) -> Check | None:
        """Judge a binding request from ``source``, seen there as ``mapped`` (host, port); ``None`` refuses it silently.

        ``source`` names the address and the socket: a transaction known from another one is a replay.
        """
        if not self._authentic(message) or not self._first_from(message.transaction_id, source):
            return None
        if "ICE-CONTROLLED" in message.attributes:
            return Check(self._reply(message, _ERROR, _ROLE_CONFLICT), False)
        host, port = mapped
        reply = self._reply(message, _RESPONSE, _xor_mapped(host, port, message.transaction_id))
        return Check(reply, "USE-CANDIDATE" in message.attributes)

    def _authentic(self, message: stun.Message) -> bool:
        ours, _, theirs = str(message.attributes.get("USERNAME", "")).partition(":")
        if not hmac.compare_digest(ours.encode(), self.local.ufrag.encode()):
            return False
        # Checks may overtake the answer on the signaling path: till it is here our password alone decides.
        if self.remote is not None and not hmac.compare_digest(theirs.encode(), self.remote.ufrag.encode()):
            return False
        return bool(message.check_message_integrity(self._key))

    def _first_from(self, transaction: bytes, source: Hashable) -> bool:
        known = self._transactions.get(transaction)
        if known is not None:
            return known == source
        self._transactions[transaction] = source
        if len(self._transactions) > REMEMBERED_TRANSACTIONS:
            self._transactions.popitem(last=False)
        return True

    def _reply(self, message: stun.Message, kind: bytes, attribute: bytes) -> bytes:
        """A response with one attribute, MESSAGE-INTEGRITY and FINGERPRINT (RFC 8489 §14.5, §14.7).

        Packed here rather than by the STUN library: every phone asks every few seconds, and this is half the cost.
        """
        head = COOKIE + message.transaction_id + attribute
        size = len(attribute)
        covered = kind + (size + _INTEGRITY_BYTES).to_bytes(2, "big") + head
        integrity = _INTEGRITY + hmac.digest(self._key, covered, "sha1")
        whole = kind + (size + _INTEGRITY_BYTES + _FINGERPRINT_BYTES).to_bytes(2, "big") + head + integrity
        return whole + _FINGERPRINT + (crc32(whole) ^ stun.FINGERPRINT_XOR).to_bytes(4, "big")


def _xor_mapped(host: str, port: int, transaction: bytes) -> bytes:
    """XOR-MAPPED-ADDRESS (RFC 8489 §14.2)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    address = socket.inet_pton(family, host)
    pad = (COOKIE + transaction)[: len(address)]
    hidden = (int.from_bytes(address, "big") ^ int.from_bytes(pad, "big")).to_bytes(len(address), "big")
    kind = b"\0\x02" if len(address) == 16 else b"\0\x01"
    return b"\0\x20" + (4 + len(address)).to_bytes(2, "big") + kind + (port ^ _PORT_PAD).to_bytes(2, "big") + hidden
