"""The evidence chain: every recording of a group and day sealed to the one before, the newest seal signed.

Standard library only, so that this very file goes into every export and verifies it anywhere.

An *entry* commits to its content by SHA-256 and to the entry before it by that one's seal. Its position is given when
it is inserted, so a burst that arrives late is late, not inserted. The first entry of a day commits to the last of
the group's day before. A *head* says how many entries a day has and how the last one is sealed; heads are signed with
a key that is not kept beside the data. What content was deleted by rule leaves its entry and a tombstone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

START = bytes(32)
"""What the first entry of a group's first day commits to."""
UNREADABLE = (KeyError, TypeError, ValueError, OverflowError, RecursionError)
"""What reading a line raises that somebody wrote to deceive or to confuse; a JSON parser's own among them."""
_ENTRY = b"poc-server evidence entry 1\n"
_HEAD = b"poc-server evidence head 1\n"


class Kind(StrEnum):
    """What an entry speaks of."""

    BURST = "burst"
    PHOTO = "photo"
    NOTE = "note"
    TOMBSTONE = "tombstone"


def canonical(content: Mapping[str, Any]) -> str:
    """JSON text of ``content``: keys sorted, no spaces, characters as they are."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def digest(content: str) -> bytes:
    """SHA-256 of a content's text."""
    return hashlib.sha256(content.encode()).digest()


@dataclass(frozen=True)
class Entry:
    """One link. ``day`` is yyyy-mm-dd, ``position`` counts from 1, ``at_ms`` when it was inserted (since the epoch)."""

    group: str
    day: str
    position: int
    kind: str
    subject: str
    at_ms: int
    content_hash: bytes
    previous: bytes

    def seal(self) -> bytes:
        """SHA-256 over every field."""
        fields = [self.group, self.day, self.position, self.kind, self.subject, self.at_ms]
        text = json.dumps([*fields, self.content_hash.hex(), self.previous.hex()], ensure_ascii=False)
        return hashlib.sha256(_ENTRY + text.encode()).digest()


@dataclass(frozen=True)
class Stored:
    """An entry as it is kept: with the seal written beside it, and its content unless that was deleted or left out."""

    entry: Entry
    hash: bytes
    content: str | None


@dataclass(frozen=True)
class Head:
    """How a group's day stands: ``count`` entries, the last one's seal. ``key`` names who signed at ``at_ms``."""

    group: str
    day: str
    count: int
    hash: bytes
    at_ms: int
    key: str

    def statement(self) -> bytes:
        """The bytes that are signed."""
        fields = [self.group, self.day, self.count, self.hash.hex(), self.at_ms, self.key]
        return _HEAD + json.dumps(fields, ensure_ascii=False).encode()


@dataclass(frozen=True)
class SignedHead:
    """A head with its Ed25519 signature (64 bytes)."""

    head: Head
    signature: bytes


def entry_to_json(stored: Stored) -> dict[str, Any]:
    """As a line of an export."""
    entry = stored.entry
    return {
        "group": entry.group,
        "day": entry.day,
        "position": entry.position,
        "kind": entry.kind,
        "subject": entry.subject,
        "at_ms": entry.at_ms,
        "content_hash": entry.content_hash.hex(),
        "previous": entry.previous.hex(),
        "hash": stored.hash.hex(),
        "content": stored.content,
    }


def entry_from_json(value: Mapping[str, Any]) -> Stored:
    """From a line of an export. Raises one of `UNREADABLE` when it is none."""
    entry = Entry(
        group=_text(value["group"]),
        day=_text(value["day"]),
        position=int(value["position"]),
        kind=_text(value["kind"]),
        subject=_text(value["subject"]),
        at_ms=int(value["at_ms"]),
        content_hash=bytes.fromhex(value["content_hash"]),
        previous=bytes.fromhex(value["previous"]),
    )
    content = value["content"]
    return Stored(entry, bytes.fromhex(value["hash"]), None if content is None else _text(content))


def head_to_json(signed: SignedHead) -> dict[str, Any]:
    """As a line of a daily file or an export."""
    head = signed.head
    return {
        "group": head.group,
        "day": head.day,
        "count": head.count,
        "hash": head.hash.hex(),
        "at_ms": head.at_ms,
        "key": head.key,
        "signature": signed.signature.hex(),
    }


def head_from_json(value: Mapping[str, Any]) -> SignedHead:
    """From a line of a daily file or an export. Raises one of `UNREADABLE` when it is none."""
    head = Head(
        group=_text(value["group"]),
        day=_text(value["day"]),
        count=int(value["count"]),
        hash=bytes.fromhex(value["hash"]),
        at_ms=int(value["at_ms"]),
        key=_text(value["key"]),
    )
    return SignedHead(head, bytes.fromhex(value["signature"]))


def _text(value: object) -> str:
    """``value`` as text. Raises ValueError when it holds what has no bytes (half of a surrogate pair)."""
    text = str(value)
    text.encode()
    return text


def extend(
    group: str, day: str, last: tuple[int, bytes], items: Iterable[tuple[str, str, str]], at_ms: int
) -> list[Stored]:
    """New entries after the ``last`` one: its position in ``day`` (0 for none) and its seal.

    ``items`` are ``(kind, subject, content)``.
    """
    position, previous = last
    made: list[Stored] = []
    for kind, subject, content in items:
        position += 1
        entry = Entry(group, day, position, kind, subject, at_ms, digest(content), previous)
        previous = entry.seal()
        made.append(Stored(entry, previous, content))
    return made
