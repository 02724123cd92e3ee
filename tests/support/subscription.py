"""What a browser holds of a subscription to Web Push: it alone can open what is sealed for it."""

from __future__ import annotations

import json
import os
from base64 import urlsafe_b64encode
from typing import Any

import http_ece
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.support.receiver import Taken


class Subscription:
    """A subscription at this endpoint; ``given`` is what a page tells the server of it."""

    def __init__(self, endpoint: str) -> None:
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        point = self.private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": urlsafe_b64encode(point).decode(), "auth": urlsafe_b64encode(self.auth).decode().rstrip("=")}
        self.given = {"endpoint": endpoint, "keys": keys, "language": "en"}

    def text(self, taken: Taken) -> str:
        assert taken.headers["content-encoding"] == "aes128gcm"
        text = http_ece.decrypt(taken.body, private_key=self.private, auth_secret=self.auth, version="aes128gcm")
        return bytes(text).decode()

    def opened(self, taken: Taken) -> dict[str, Any]:
        opened: dict[str, Any] = json.loads(self.text(taken))
        return opened
