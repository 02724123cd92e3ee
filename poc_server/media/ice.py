"""ICE-lite (RFC 8445 §2.5): answers connectivity checks, follows the pair the phone nominates, asks nothing itself.

One `IceLite` is one set of credentials of one phone; an ICE restart makes a new one. It is pure: parsed messages and
the time go in, a reply comes out. A reply is made only for a request that carries the integrity of our password, so
nothing is ever sent to an address that has not proved itself.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from aioice import stun

REMEMBERED_TRANSACTIONS = 128
"""Some five minutes of a settled phone's checks; a captured request is of no use to another address for so long."""
COOKIE = stun.COOKIE.to_bytes(4, "big")
_BINDING_REQUEST = b"\x00\x01"
_USERNAME = b"\x00\x06"
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
            return Check(self._reply(message, stun.Class.ERROR, {"ERROR-CODE": (487, "Role Conflict")}), False)
        reply = self._reply(message, stun.Class.RESPONSE, {"XOR-MAPPED-ADDRESS": mapped})
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

    def _reply(self, message: stun.Message, kind: stun.Class, attributes: dict[str, object]) -> bytes:
        reply = stun.Message(
            message_method=stun.Method.BINDING,
            message_class=kind,
            transaction_id=message.transaction_id,
            attributes=attributes,
        )
        reply.add_message_integrity(self._key)
        return bytes(reply)
