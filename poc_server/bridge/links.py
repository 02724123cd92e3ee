"""Links that open by themselves, for a while: to a recording, to the log of an incident.

A link names what it opens and when it ends, signed; it grants nothing else. Whoever has it may open it, so it is short.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from poc_server.auth.keys import load_or_make

_PURPOSE = b"poc-server signed links v1"
_SIGNATURE_BYTES = 18


@dataclass(frozen=True, slots=True, repr=False)
class Links:
    """Makes and checks links. ``base``: how others reach this server."""

    key: bytes
    base: str
    life_ms: int

    @classmethod
    def open(cls, keys: Path, base: str, life_s: int) -> Links:
        """With a key made from the server's own signing key: nodes that share that one share links."""
        return cls(load_or_make(keys).secret(_PURPOSE), base.rstrip("/"), life_s * 1000)

    def recording(self, key: str, now: int) -> tuple[str, int]:
        """A link to a recording's audio, and when it ends (ms)."""
        return self._link(f"/api/v1/shared/recordings/{quote(key, safe='')}.ogg", f"recording/{key}", now)

    def photo(self, key: str, now: int) -> tuple[str, int]:
        """A link to a photo, and when it ends (ms)."""
        return self._link(f"/api/v1/shared/photos/{quote(key, safe='')}", f"photo/{key}", now)

    def log(self, agency: str, code: str, now: int) -> tuple[str, int]:
        """A link to the log page of an incident, and when it ends (ms)."""
        path = f"/api/v1/shared/incidents/{quote(agency, safe='')}/{quote(code, safe='')}"
        return self._link(path, f"log/{agency}/{code}", now)

    def opens(self, what: str, expires_ms: int, signature: str, now: int) -> bool:
        """Whether this signature opens ``what`` now."""
        return hmac.compare_digest(self._sign(what, expires_ms).encode(), signature.encode()) and now < expires_ms

    def _link(self, path: str, what: str, now: int) -> tuple[str, int]:
        expires = now + self.life_ms
        return f"{self.base}{path}?expires={expires}&signature={self._sign(what, expires)}", expires

    def _sign(self, what: str, expires_ms: int) -> str:
        made = hmac.digest(self.key, f"{what}\n{expires_ms}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(made[:_SIGNATURE_BYTES]).decode()


def name_of(link: str) -> str:
    """What the audit calls a link (or its signature): who reads the audit cannot open it by that."""
    return hashlib.sha256(link.rpartition("signature=")[2].encode()).hexdigest()[:16]
