"""What is told beside an evidence chain: rows of SQL, the list of an export. Each must say what was sealed.

Standard library only: goes into every export beside ``judge.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

try:
    from poc_server.ground.chain import Kind, Stored
    from poc_server.recording.proving.judge import Finding, Wrong, record
except ImportError:  # beside this file in an export
    from chain import Kind, Stored  # type: ignore[import-not-found,no-redef]
    from judge import Finding, Wrong, record  # type: ignore[import-not-found,no-redef]

Said = Mapping[str, Any]
"""What is told of one recording, photo or note, by the names that its sealed record uses."""

KEPT_WITHIN_MS = 60_000
"""Bursts' records of earlier versions do not hold ``kept_ms``: that time is the entry's, give or take this."""

_BURST = {
    "id": "key",
    "burst": "id",
    "talker": "user",
    "talker_name": "user_name",
    **{
        name: name
        for name in (
            "group", "call", "incident", "device", "node", "tier", "started_ms", "ended_ms", "kept_ms", "end",
            "duration_ms", "packets", "lost", "unrecorded", "filled_ms", "place", "file", "size", "sha256",
        )
    },
}  # fmt: skip
_MATERIAL = {
    "group": "group_id",
    "user": "user_id",
    "device": "device_id",
    **{
        name: name
        for name in (
            "id", "kind", "user_name", "incident", "note", "origin", "taken_ms", "clock_offset_ms", "kept_ms", "place",
            "cell", "media_type", "file", "size", "sha256",
        )
    },
}  # fmt: skip


def compare(entries: Iterable[Stored], told: Mapping[str, Said], *, where: str) -> list[Finding]:
    """Each entry against what is ``told`` of its subject; ``where`` names the place in which that stands.

    An entry without content speaks of what was deleted, or is not part of an excerpt: nothing may be told of it.
    """
    findings: list[Finding] = []
    for stored in entries:
        entry = stored.entry
        said = told.get(entry.subject)
        if entry.kind == Kind.TOMBSTONE.value:
            continue
        if stored.content is None:
            if said is not None:
                findings.append(_at(Wrong.INSERTED, stored, f"{where}: its record was deleted or is withheld"))
        elif said is None:
            findings.append(_at(Wrong.MISSING, stored, f"{where}: nothing of {entry.subject}"))
        else:
            sealed = record(stored)  # none when it is altered, which `judge` tells
            names = [] if sealed is None else _differing(stored, sealed, said)
            if names:
                findings.append(_at(Wrong.ALTERED, stored, f"{where}: {', '.join(names)} of {entry.subject}"))
    return findings


def compare_index(entries: Iterable[Stored], index: Mapping[str, Any]) -> list[Finding]:
    """The list of an export (``index.json``) against its entries. Raises KeyError or TypeError when it is none."""
    where = "index.json"
    lists = [
        ([_named(one, _BURST) for one in index["recordings"]], "key", "started_ms"),
        ([_named(one, _MATERIAL) for one in index["materials"]], "id", "begun_ms"),
    ]
    told = {str(one[key]): one for items, key, _ in lists for one in items}
    kept = list(entries)
    findings = compare(kept, told, where=where)
    records = {stored.entry.subject: stored for stored in kept}
    for items, key, time in lists:
        before: tuple[Any, str] | None = None
        for one in items:
            stored = records.get(str(one[key]))
            if stored is None:
                findings.append(Finding(Wrong.INSERTED, "?", "?", None, f"{where}: no entry speaks of {one[key]}"))
            elif (sealed := record(stored)) is not None:
                now = (sealed.get(time, 0), str(one[key]))
                if before is not None and now <= before:
                    findings.append(_at(Wrong.REORDERED, stored, f"{where}: {one[key]} is not in order of time"))
                before = now
    return findings


def _at(wrong: Wrong, stored: Stored, detail: str) -> Finding:
    return Finding(wrong, stored.entry.group, stored.entry.day, stored.entry.position, detail)


def _differing(stored: Stored, sealed: Mapping[str, Any], said: Said) -> list[str]:
    """Names of what is not as it was sealed. What an older record did not hold cannot be compared."""
    names = [name for name, value in said.items() if name in sealed and sealed[name] != value]
    if "kept_ms" in said and "kept_ms" not in sealed:
        late = said["kept_ms"] - stored.entry.at_ms
        if abs(late) > KEPT_WITHIN_MS:
            names.append("kept_ms")
    return names


def _named(item: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """An item of the list by the names of a sealed record."""
    said = {names[name]: value for name, value in item.items() if name in names}
    said["file"] = str(said.get("file", "")).removeprefix("files/")
    if "peaks" in item:
        said["peaks_sha256"] = hashlib.sha256(bytes([*item["peaks"]])).hexdigest()
    return said
