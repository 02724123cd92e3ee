"""Finds what was done to an evidence chain. Standard library only: goes into every export beside ``chain.py``.

Signatures are checked with the ``cryptography`` library or, where that is missing, with the ``openssl`` command.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any

try:
    from poc_server.ground.chain import START, Kind, SignedHead, Stored, digest
except ImportError:  # beside this file in an export
    from chain import (  # type: ignore[import-not-found,no-redef]
        START,
        Kind,
        SignedHead,
        Stored,
        digest,
    )


class Wrong(StrEnum):
    """What can be wrong."""

    ALTERED = "altered"
    """A byte of a recording, of its record, of its entry, or of what is told of it is not what was sealed."""
    MISSING = "missing"
    """An entry that was sealed, or the file or row of one, is gone without a tombstone."""
    INSERTED = "inserted"
    """An entry that no seal leads to, or what is told and no entry speaks of."""
    REORDERED = "reordered"
    """An entry stands at another position than it was sealed at, or a list is not in order of time."""
    CUT_SHORT = "cut_short"
    """The last entries of a day that were signed for are gone."""
    REBUILT = "rebuilt"
    """The chain is whole in itself but is not the one that was signed."""
    UNSIGNED = "unsigned"
    """Entries that nobody signed for although there was time enough."""
    BAD_SIGNATURE = "bad_signature"
    """A head whose signature does not fit, or whose key is not trusted."""


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, and where."""

    wrong: Wrong
    group: str
    day: str
    position: int | None = None
    detail: str = ""


CheckFile = Callable[[Mapping[str, object]], "str | None"]
"""Given the content of a burst or photo: None when its file is as sealed, else ``altered`` or ``missing``."""
CheckSignature = Callable[[SignedHead], bool]
"""Whether a trusted key signed the head."""

UNSIGNED_GRACE_MS = 60_000
"""Entries younger than this may still wait for their signature."""
MOST_REMOVED = 10_000
"""Entries of a day that may be gone before one whose position is altered, and it is still told where it belongs."""


def judge(
    entries: Iterable[Stored],
    heads: Iterable[SignedHead],
    trusted: CheckSignature,
    check_file: CheckFile,
    now_ms: int,
    *,
    excerpt: bool = False,
) -> list[Finding]:
    """Everything that is wrong with ``entries``, which come sorted by group, day, position.

    There may be any number of ``heads`` for a day; each must fit. Entries without signature are measured against
    ``now_ms`` (since the epoch). In an ``excerpt`` (an export) entries may lack their content, and days may be left
    out.
    """
    findings: list[Finding] = []
    good: dict[tuple[str, str], list[SignedHead]] = {}
    for signed in heads:
        head = signed.head
        if trusted(signed):
            good.setdefault((head.group, head.day), []).append(signed)
        else:
            findings.append(Finding(Wrong.BAD_SIGNATURE, head.group, head.day, head.count, f"key {head.key}"))
    for group, of_group in itertools.groupby(entries, key=lambda stored: stored.entry.group):
        before: bytes | None = None if excerpt else START
        buried: set[str] = set()
        bare: list[Stored] = []
        for day, of_day in itertools.groupby(of_group, key=lambda stored: stored.entry.day):
            rows = list(of_day)
            signed_heads = sorted(good.pop((group, day), []), key=lambda signed: signed.head.count)
            findings += _day(group, day, rows, signed_heads, before, now_ms)
            before = None if excerpt else rows[-1].hash
            for stored in rows:
                findings += _content(stored, check_file, buried, bare)
        if not excerpt:
            findings += [
                _at(Wrong.MISSING, stored, "its record, and no tombstone says why")
                for stored in bare
                if stored.entry.subject not in buried
            ]
    findings += [
        Finding(Wrong.MISSING, group, day, None, "every entry of a day that was signed for") for group, day in good
    ]
    return findings


def _at(wrong: Wrong, stored: Stored, detail: str) -> Finding:
    return Finding(wrong, stored.entry.group, stored.entry.day, stored.entry.position, detail)


def _day(
    group: str, day: str, rows: Sequence[Stored], heads: Sequence[SignedHead], before: bytes | None, now_ms: int
) -> list[Finding]:
    findings = _links(group, day, rows, before)
    for signed in heads:
        findings += _against(signed, rows, whole=not findings)
    signed_for = heads[-1].head.count if heads else 0
    waiting = [stored for stored in rows if stored.entry.position > signed_for]
    if waiting and waiting[0].entry.at_ms < now_ms - UNSIGNED_GRACE_MS:
        findings.append(_at(Wrong.UNSIGNED, waiting[0], f"and {len(waiting) - 1} after it"))
    return findings


def _links(group: str, day: str, rows: Sequence[Stored], before: bytes | None) -> list[Finding]:
    """Each entry against its own seal and its neighbour's."""
    findings: list[Finding] = []
    seals = {stored.hash for stored in rows}
    previous, expected = before, 1
    shift = 0  # by how much entries stand further on than they were sealed, for what was put in or taken out before
    for index, stored in enumerate(rows):
        entry = stored.entry
        gap = entry.position - expected
        if gap > 0:
            findings.append(Finding(Wrong.MISSING, group, day, expected, f"{gap} entries"))
        sealed_at = _sealed_at(stored, shift, rows)
        if sealed_at is None:
            findings.append(_at(Wrong.ALTERED, stored, "its entry"))
        elif previous is not None and entry.previous != previous and gap <= 0:
            findings.append(_misfit(rows, index, seals, moved=sealed_at != entry.position - shift))
            shift = entry.position - sealed_at
        previous, expected = stored.hash, entry.position + 1
    return findings


def _sealed_at(stored: Stored, shift: int, rows: Sequence[Stored]) -> int | None:
    """The position the entry was sealed at, None when no position makes its seal.

    A forger may have written any position: none is looked for beyond what a day can have lost.
    """
    here = stored.entry.position - shift
    last = min(rows[-1].entry.position, len(rows) + MOST_REMOVED)
    places = itertools.chain((here,), range(1, last + len(rows) + 1))
    return next((at for at in places if replace(stored.entry, position=at).seal() == stored.hash), None)


def _misfit(rows: Sequence[Stored], index: int, seals: set[bytes], *, moved: bool) -> Finding:
    """Why the entry at ``index`` is not sealed to the one before it."""
    stored = rows[index]
    prior = rows[index - 1] if index else None
    if prior is not None and stored.entry.previous == prior.entry.previous:
        return _at(Wrong.INSERTED, prior, "no later entry is sealed to it")
    if stored.entry.previous in seals:
        return _at(Wrong.REORDERED, stored, "it was sealed to another entry")
    if moved or prior is None:
        return _at(Wrong.MISSING, stored, "the entry it was sealed to")
    return _at(Wrong.ALTERED, prior, "its entry, which was sealed anew")


def _against(signed: SignedHead, rows: Sequence[Stored], *, whole: bool) -> list[Finding]:
    """The day against what was signed for it."""
    head = signed.head
    last = rows[-1].entry.position
    if last < head.count:
        missing = f"{head.count - last} of {head.count} entries"
        return [Finding(Wrong.CUT_SHORT, head.group, head.day, last + 1, missing)]
    at_head = [stored for stored in rows if stored.entry.position == head.count]
    if any(stored.hash == head.hash for stored in at_head) or not whole:
        return []
    return [Finding(Wrong.REBUILT, head.group, head.day, head.count, f"signed by {head.key} with another seal")]


def _content(stored: Stored, check_file: CheckFile, buried: set[str], bare: list[Stored]) -> list[Finding]:
    if stored.content is None:
        bare.append(stored)
        return []
    content = record(stored)
    if content is None:
        return [_at(Wrong.ALTERED, stored, "its record")]
    if stored.entry.kind == Kind.TOMBSTONE.value:
        buried.add(str(content.get("subject")))
        return []
    said = check_file(content)
    return [] if said is None else [_at(Wrong(said), stored, f"file {content.get('file')}")]


def record(stored: Stored) -> dict[str, Any] | None:
    """The record that an entry commits to; None when it has none, or one that was altered or is no record."""
    if stored.content is None:
        return None
    try:
        found = json.loads(stored.content) if digest(stored.content) == stored.entry.content_hash else None
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def check_files_in(folder: Path) -> CheckFile:
    """Checks SHA-256 of files below ``folder``."""

    def check(content: Mapping[str, object]) -> str | None:
        name = content.get("file")
        if not isinstance(name, str) or not name:
            return None
        path = folder / name
        if not path.is_file():
            return Wrong.MISSING.value
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        return None if found == content.get("sha256") else Wrong.ALTERED.value

    return check


def signatures_by(keys: Mapping[str, str]) -> CheckSignature:
    """Checks signatures with public keys: name of the key → PEM text."""
    return lambda signed: (
        signed.head.key in keys and signature_fits(keys[signed.head.key], signed.head.statement(), signed.signature)
    )


def signature_fits(pem: str, text: bytes, signature: bytes) -> bool:
    """Whether the key in ``pem`` signed ``text`` so (Ed25519)."""
    try:
        from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
        from cryptography.hazmat.primitives.serialization import load_pem_public_key
    except ImportError:
        return _fits_by_openssl(pem, text, signature)
    try:
        key = load_pem_public_key(pem.encode())
        if not isinstance(key, Ed25519PublicKey):
            return False
        key.verify(signature, text)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _fits_by_openssl(pem: str, text: bytes, signature: bytes) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        names = {"key": pem.encode(), "text": text, "signature": signature}
        for name, data in names.items():
            (Path(folder) / name).write_bytes(data)
        command = "openssl pkeyutl -verify -pubin -inkey key -rawin -in text -sigfile signature"
        done = subprocess.run(command.split(), cwd=folder, capture_output=True, check=False)  # noqa: S603 - ours
    return done.returncode == 0
