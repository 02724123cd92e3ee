"""The controlling side of ICE toward a lite server (RFC 8445 §2.5): checks until one is answered, then consent."""

from __future__ import annotations

import secrets
from typing import Final

from aioice import stun

PRIORITY: Final = 1_862_270_975
"""Priority of a peer-reflexive candidate with full local preference (RFC 8445 §5.1.2)."""


class IceController:
    """Makes binding requests and judges the answers. Sends nothing itself."""

    __slots__ = ("_asked_as", "_key", "_remote_ufrag", "_tie_breaker", "_username", "outstanding", "password", "ufrag")

    def __init__(self, remote_ufrag: str, remote_password: str) -> None:
        self.ufrag = secrets.token_hex(4)
        self.password = secrets.token_hex(12)
        self._tie_breaker = secrets.randbits(64)
        self.outstanding: set[bytes] = set()
        self.follow(remote_ufrag, remote_password)

    def follow(self, remote_ufrag: str, remote_password: str) -> None:
        """Take the credentials of the server's newest offer."""
        self._remote_ufrag = remote_ufrag
        self._username = f"{remote_ufrag}:{self.ufrag}"
        self._asked_as = f"{self.ufrag}:{remote_ufrag}"
        self._key = remote_password.encode()

    def request(self) -> bytes:
        """A binding request that nominates the pair."""
        message = stun.Message(
            stun.Method.BINDING,
            stun.Class.REQUEST,
            attributes={
                "USERNAME": self._username,
                "ICE-CONTROLLING": self._tie_breaker,
                "PRIORITY": PRIORITY,
                "USE-CANDIDATE": None,
            },
        )
        message.add_message_integrity(self._key)
        if len(self.outstanding) > 8:
            self.outstanding.clear()
        self.outstanding.add(message.transaction_id)
        return bytes(message)

    def answered(self, datagram: bytes) -> bool:
        """Whether ``datagram`` is a proven answer to one of our requests."""
        try:
            message = stun.parse_message(datagram)
        except Exception:
            return False
        if message.transaction_id not in self.outstanding or message.message_class is not stun.Class.RESPONSE:
            return False
        if not message.check_message_integrity(self._key):
            return False
        self.outstanding.clear()
        return True

    def reply(self, datagram: bytes, server: tuple[str, int]) -> bytes | None:
        """The answer to a check of the server's, which asks whether we are here; None for whatever else."""
        try:
            message = stun.parse_message(datagram)
        except Exception:
            return None
        if message.message_class is not stun.Class.REQUEST or message.attributes.get("USERNAME") != self._asked_as:
            return None
        if not message.check_message_integrity(self.password.encode()):
            return None
        reply = stun.Message(
            stun.Method.BINDING,
            stun.Class.RESPONSE,
            message.transaction_id,
            attributes={"XOR-MAPPED-ADDRESS": server},
        )
        reply.add_message_integrity(self.password.encode())
        return bytes(reply)
