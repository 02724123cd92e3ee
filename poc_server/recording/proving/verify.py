"""``python3 evidence/verify.py FOLDER``: checks an unpacked export, with the standard library alone.

Every file against the signed list of files, the list of recordings against the chain, the chain against its signed
heads, each recording and photo against its record.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

try:
    from poc_server.ground import chain
    from poc_server.recording.proving import beside, judge
except ImportError:  # beside this file in an export
    import beside  # type: ignore[import-not-found,no-redef]
    import chain  # type: ignore[import-not-found,no-redef]
    import judge  # type: ignore[import-not-found,no-redef]

T = TypeVar("T")
MANIFEST = "manifest.sha256"


def check_manifest(root: Path, keys: Mapping[str, str]) -> list[judge.Finding]:
    """Every file of the export as it was when the server signed for it, and none beside. Raises OSError."""
    findings: list[judge.Finding] = []

    def told(wrong: judge.Wrong, detail: str) -> None:
        findings.append(judge.Finding(wrong, "-", "-", None, detail))

    manifest, signature = root / MANIFEST, root / f"{MANIFEST}.sig"
    text = manifest.read_bytes() if manifest.is_file() else b""
    signed = signature.read_bytes() if signature.is_file() else b""
    if not any(judge.signature_fits(pem, text, signed) for pem in keys.values()):
        told(judge.Wrong.BAD_SIGNATURE, f"{MANIFEST}: no key of evidence/keys signed it")
    named = {}
    for line in text.decode("utf-8", "replace").split("\n")[:-1]:
        digest, _, name = line.partition("  ")
        named[name] = digest
    found = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
    for name in sorted(found - named.keys()):
        ours = name in (MANIFEST, f"{MANIFEST}.sig") or "__pycache__" in name  # which Python leaves of this program
        if not ours:
            told(judge.Wrong.INSERTED, f"{name}: not in {MANIFEST}")
    for name, digest in sorted(named.items()):
        if name not in found:
            told(judge.Wrong.MISSING, f"{name}: named in {MANIFEST}")
            continue
        with (root / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                told(judge.Wrong.ALTERED, f"{name}: not as {MANIFEST} says")
    return findings


def read_lines(root: Path, name: str, read: Callable[[Any], T]) -> tuple[list[T], list[judge.Finding]]:
    """What stands in a file of one JSON object a line, and which lines hold none. Raises OSError."""
    found: list[T] = []
    findings: list[judge.Finding] = []
    path = root / name
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), 1):
        try:
            found.append(read(json.loads(line)))
        except chain.UNREADABLE:
            findings.append(judge.Finding(judge.Wrong.ALTERED, "-", "-", None, f"{name}: nothing in line {number}"))
    return found, findings


def main(folder: str) -> int:
    """Verify an unpacked export; prints what is found, returns 0 when nothing is wrong."""
    root = Path(folder)
    entries, findings = read_lines(root, "evidence/entries.jsonl", chain.entry_from_json)
    entries.sort(key=lambda stored: (stored.entry.group, stored.entry.day, stored.entry.position))
    heads, unreadable = read_lines(root, "evidence/heads.jsonl", chain.head_from_json)
    findings += unreadable
    keys = {path.stem: path.read_text("ascii", "replace") for path in (root / "evidence" / "keys").glob("*.pem")}
    newest = max((stored.entry.at_ms for stored in entries), default=0)
    now_ms = newest + judge.UNSIGNED_GRACE_MS + 1  # an export holds nothing that was not signed for
    findings += judge.judge(
        entries, heads, judge.signatures_by(keys), judge.check_files_in(root / "files"), now_ms, excerpt=True
    )
    try:
        findings += beside.compare_index(entries, json.loads((root / "index.json").read_text("utf-8")))
    except (OSError, AttributeError, *chain.UNREADABLE) as problem:
        findings.append(
            judge.Finding(judge.Wrong.ALTERED, "-", "-", None, f"index.json: no list ({type(problem).__name__})")
        )
    findings += check_manifest(root, keys)
    for finding in findings:
        place = f"{finding.group} {finding.day} #{finding.position or '-'}"
        sys.stdout.write(f"{finding.wrong.value.upper()}: {place} {finding.detail}\n")
    sys.stdout.write(f"{len(entries)} entries, {len(heads)} signed heads, {len(findings)} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "."))
