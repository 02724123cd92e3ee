"""The key that signs evidence. It is kept outside the data folder: who can change the data cannot sign for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256, Hash
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from poc_server.ground.chain import Head, SignedHead
from poc_server.ground.secret_file import keep_first


class BadKey(ValueError):
    """The file holds no Ed25519 private key."""


@dataclass(frozen=True, slots=True)
class EvidenceKey:
    """A private key and its name: the first 16 hexadecimal digits of the SHA-256 of the raw public key."""

    private: Ed25519PrivateKey
    name: str

    @classmethod
    def of(cls, private: Ed25519PrivateKey) -> EvidenceKey:
        """Name a key."""
        return cls(private, name_of(private.public_key()))

    @classmethod
    def open(cls, path: Path) -> EvidenceKey:
        """Read the key, or make one that only we can read. Raises `BadKey` or OSError."""
        if not path.exists():
            _write_new(path, Ed25519PrivateKey.generate())
        try:
            private = load_pem_private_key(path.read_bytes(), None)
        except (ValueError, TypeError) as problem:
            raise BadKey(f"{path}: {problem}") from None
        if not isinstance(private, Ed25519PrivateKey):
            raise BadKey(f"{path}: no Ed25519 key")
        return cls.of(private)

    def sign(self, head: Head) -> SignedHead:
        """Sign ``head`` in our name."""
        if head.key != self.name:
            raise ValueError("a head that names another key")
        return SignedHead(head, self.private.sign(head.statement()))

    def public_pem(self) -> str:
        """What verifies our signatures."""
        pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem.decode("ascii")


def name_of(public: Ed25519PublicKey) -> str:
    """The name by which heads call a key."""
    hashing = Hash(SHA256())
    hashing.update(public.public_bytes(Encoding.Raw, PublicFormat.Raw))
    return hashing.finalize().hex()[:16]


def _write_new(path: Path, private: Ed25519PrivateKey) -> None:
    keep_first(path, private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
