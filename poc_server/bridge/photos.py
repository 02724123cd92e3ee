"""Photos from the field: kept as files under the name of their content, so that one sent twice is one."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from groups.vocabulary import Refusal
from poc_server.refused import Refused

MAX_PHOTO_BYTES = 8_000_000
"""Largest photo taken; a page makes them smaller before it sends them."""
_KEY = re.compile(r"p-[0-9a-f]{64}\.(jpg|png|webp)")
_TYPES = {"jpg": "image/jpeg", "png": "image/png", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Photo:
    """A kept photo. ``key`` is its name in links."""

    key: str
    media_type: str
    size: int
    sha256: str


class Photos:
    """The folder of photos."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def keep(self, content: bytes) -> Photo:
        """Puts a photo on disk. Refuses one that is too_large, and what is no JPEG, PNG or WebP (bad_message)."""
        if len(content) > MAX_PHOTO_BYTES:
            raise Refused(Refusal.TOO_LARGE, "photo")
        kind = _kind(content)
        if kind is None:
            raise Refused(Refusal.BAD_MESSAGE, "not a JPEG, PNG or WebP picture")
        return await asyncio.to_thread(self._keep, content, kind)

    def file(self, key: str) -> tuple[Path, str] | None:
        """The file of a photo and its media type; None when there is none of that name."""
        if not _KEY.fullmatch(key):
            return None
        path = self._path(key)
        return (path, _TYPES[key.rpartition(".")[2]]) if path.is_file() else None

    def _path(self, key: str) -> Path:
        return self._folder / key[2:4] / key

    def _keep(self, content: bytes, kind: str) -> Photo:
        digest = hashlib.sha256(content).hexdigest()
        key = f"p-{digest}.{kind}"
        path = self._path(key)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(f".{os.getpid()}.new")
            with draft.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        return Photo(key, _TYPES[kind], len(content), digest)


def _kind(content: bytes) -> str | None:
    """By the first bytes, never by what the sender calls it."""
    if content.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    return "webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
