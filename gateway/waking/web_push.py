"""Web Push: a message sealed for one browser (RFC 8291) and signed by this server (VAPID, RFC 8292)."""

from __future__ import annotations

import binascii
import os
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from py_vapid import Vapid02

MAX_ENDPOINT_CHARS = 1_024
MAX_PAYLOAD_BYTES = 3_000
"""Every push service takes 4,096 bytes of sealed message."""
TOKEN_S = 12 * 3_600
"""A signature holds so long; push services take at most 24 h."""
AUTH_BYTES = 16
POINT_BYTES = 65


class BadSubscription(ValueError):
    """It is no subscription, or one of a push service that is not allowed; the text says which part."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Where one browser is reached. ``endpoint`` is a secret: who knows it may send to it."""

    endpoint: str
    p256dh: str
    auth: str

    @property
    def host(self) -> str:
        """What may be logged of it."""
        return urlsplit(self.endpoint).hostname or ""

    @property
    def origin(self) -> str:
        """For whom a signature holds."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"


def check(subscription: Subscription, hosts: tuple[str, ...]) -> None:
    """Raises `BadSubscription`. A stranger must not make this server send to any address he likes.

    Args:
        subscription: as the browser gave it.
        hosts: push services by name or parent domain; one that begins with ``http://`` is taken without TLS.
    """
    if len(subscription.endpoint) > MAX_ENDPOINT_CHARS:
        raise BadSubscription("endpoint")
    try:
        parts = urlsplit(subscription.endpoint)
        host = parts.hostname or ""
        plain = parts.scheme == "http" and f"http://{parts.netloc}" in hosts
        known = any(host == each or host.endswith(f".{each}") for each in hosts)
        whole = parts.scheme == "https" and known and parts.port in (None, 443) and parts.username is None
    except ValueError:
        raise BadSubscription("endpoint") from None
    if not (plain or whole):
        raise BadSubscription("endpoint")
    if len(_decoded(subscription.auth)) != AUTH_BYTES:
        raise BadSubscription("auth")
    point = _decoded(subscription.p256dh)
    try:
        if len(point) != POINT_BYTES:
            raise ValueError
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError:
        raise BadSubscription("p256dh") from None


class Vapid:
    """This server's key toward push services. ``contact``: mailto: or https: of who answers for it."""

    def __init__(self, private: ec.EllipticCurvePrivateKey, contact: str) -> None:
        self._signer = Vapid02(private)
        self._contact = contact
        point = private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.public = urlsafe_b64encode(point).rstrip(b"=").decode()
        """What a browser subscribes with."""

    @classmethod
    def open(cls, file: Path, contact: str, keep: Callable[[Path, bytes], None]) -> Vapid:
        """The key of ``file``, made and kept by ``keep`` when there is none.

        Raises ValueError on a file that is no P-256 key, OSError.
        """
        if not file.exists():
            made = ec.generate_private_key(ec.SECP256R1())
            keep(file, made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        key = load_pem_private_key(file.read_bytes(), password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise ValueError(f"{file} is not a P-256 key")
        return cls(key, contact)

    def headers(self, subscription: Subscription, now_s: int) -> dict[str, str]:
        """What proves who sends."""
        claims = {"aud": subscription.origin, "exp": now_s + TOKEN_S, "sub": self._contact}
        return dict(self._signer.sign(claims))


def seal(subscription: Subscription, payload: bytes) -> bytes:
    """The message as only that browser can read it. Raises ValueError when it is too large."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise ValueError(f"{len(payload)} bytes of at most {MAX_PAYLOAD_BYTES}")
    sealed: bytes = http_ece.encrypt(
        payload,
        salt=os.urandom(16),
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=_decoded(subscription.p256dh),
        auth_secret=_decoded(subscription.auth),
        version="aes128gcm",
    )
    return sealed


def _decoded(text: str) -> bytes:
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        return b""
