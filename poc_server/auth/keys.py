"""The signing keys: made at the first start, kept in a folder outside the tree, never printed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from poc_server.ground.secret_file import keep_first

_PATTERN = "sign-*.pem"


@dataclass(frozen=True, slots=True)
class SigningKeys:
    """The newest key signs, every key in the folder verifies: a key is changed by adding one."""

    name: str
    private: Ed25519PrivateKey
    public: dict[str, Ed25519PublicKey]

    def secret(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose, which all nodes with these keys share."""
        raw = self.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        return hmac.digest(raw, purpose, hashlib.sha256)


def load_or_make(folder: Path) -> SigningKeys:
    """Read the keys of ``folder``; make the first when there is none. Raises ValueError on a file that is no key."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not list(folder.glob(_PATTERN)):
        _make(folder)
    paths = sorted(folder.glob(_PATTERN), key=lambda path: (path.stat().st_mtime_ns, path.name))
    keys = [_read(path) for path in paths]
    public = {_name(key.public_key()): key.public_key() for key in keys}
    return SigningKeys(_name(keys[-1].public_key()), keys[-1], public)


def _make(folder: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    keep_first(folder / "sign-1.pem", pem)


def _read(path: Path) -> Ed25519PrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} is not an Ed25519 key")
    return key


def _name(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).hexdigest()[:16]
