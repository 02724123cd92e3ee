"""Credentials for a coturn that shares a secret with this server: they end by themselves, and name whose they are.

The scheme is coturn's ``use-auth-secret`` (draft-uberti-behave-turn-rest-00 §2.2): the username is
``<end, seconds since the epoch>:<user>``, the password base64(HMAC-SHA1(secret, username)). coturn need not be asked.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Protocol

from signaling.messages import IceServer


class TurnShared(Protocol):
    """What must be known of the coturn: where it is, what it shares with us, how long credentials hold (seconds)."""

    @property
    def urls(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def secret(self) -> str: ...  # noqa: D102
    @property
    def lifetime_s(self) -> int: ...  # noqa: D102


def ice_servers(settings: TurnShared, user: str, now_s: float) -> list[IceServer]:
    """What a phone of ``user`` is told at ``now_s`` (seconds since the epoch): nothing where no coturn is set."""
    if not settings.urls or not settings.secret:
        return []
    username = f"{int(now_s) + settings.lifetime_s}:{user}"
    return [IceServer(urls=list(settings.urls), username=username, credential=password(settings.secret, username))]


def password(secret: str, username: str) -> str:
    """What coturn computes for ``username``. SHA-1 is the scheme's; as an HMAC key derivation it is not broken."""
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
