"""What the field sent, once it is whole: judged by its bytes, not by what was said of it, and put where it stays."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from poc_server.ground import durable


class NotAsAnnounced(Exception):
    """Size, digest or kind of the file is not what was announced."""


def media_type(head: bytes) -> str | None:
    """What a picture is by its first 16 bytes; None when it is none that is taken."""
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp" and head[8:12] in (b"heic", b"heix", b"mif1", b"heif"):
        return "image/heic"
    return None


def keep_material(part: Path, wanted: Path, size: int, sha256: str, announced: str) -> None:
    """Check ``part`` and move it to ``wanted``, on the disk before this returns. May be done again.

    Raises:
        NotAsAnnounced: it is something else; ``part`` is removed.
        OSError: disk trouble.
    """
    if wanted.exists() and not part.exists():
        return
    with part.open("rb") as file:
        found_type = media_type(file.read(16))
        file.seek(0)
        found = hashlib.file_digest(file, "sha256").hexdigest()
        found_size = file.seek(0, os.SEEK_END)
    wrong = [
        name
        for name, same in (("size", found_size == size), ("sha256", found == sha256), ("type", found_type == announced))
        if not same
    ]
    if wrong:
        part.unlink(missing_ok=True)
        raise NotAsAnnounced(f"not as announced: {', '.join(wrong)}")
    durable.make_folder(wanted.parent)
    durable.sync(part)
    part.rename(wanted)
    durable.sync(wanted.parent)
