"""The file format of the journal: one line per record, ``crc32 json``, in numbered segment files.

A torn or flipped line is known by its checksum and passed over; the lines around it are not harmed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_LINE_BYTES = 1_000_000
_SUFFIX = ".journal"


class BadLine(ValueError):
    """A line whose checksum or JSON is wrong."""


def encode(record: Mapping[str, Any]) -> bytes:
    """One line, newline included. Raises ValueError when ``record`` is no JSON or longer than `MAX_LINE_BYTES`."""
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > MAX_LINE_BYTES:
        raise ValueError("journal record too long")
    return b"%08x %s\n" % (zlib.crc32(body), body)


def decode(line: bytes) -> dict[str, Any]:
    """The record of one line (without its newline). Raises `BadLine` and nothing else."""
    try:
        checksum, body = line.split(b" ", 1)
        if int(checksum, 16) != zlib.crc32(body):
            raise BadLine("checksum")
        record = json.loads(body)
    except BadLine:
        raise
    except (ValueError, RecursionError) as problem:
        raise BadLine(str(problem)) from None
    if not isinstance(record, dict):
        raise BadLine("not an object")
    return record


def segment_path(folder: Path, number: int) -> Path:
    """The file of one segment."""
    return folder / f"{number:012d}{_SUFFIX}"


def segments(folder: Path) -> list[int]:
    """The numbers of the segments that are there, in order."""
    return sorted(int(path.name.removesuffix(_SUFFIX)) for path in folder.glob(f"*{_SUFFIX}") if path.stem.isdigit())


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of ``segment``; ``end`` is the position just after them. ``torn``: bytes that never got whole."""

    segment: int
    end: int
    lines: tuple[bytes, ...]
    torn: bytes = b""


def read_chunk(folder: Path, segment: int, position: int, limit: int) -> Chunk | None:
    """Up to about ``limit`` bytes of whole lines from there on, going over to the next segment; None at the end."""
    numbers = [number for number in segments(folder) if number >= segment]
    for number in numbers:
        start = position if number == segment else 0
        with segment_path(folder, number).open("rb") as file:
            file.seek(start)
            data = file.read(max(limit, MAX_LINE_BYTES + 16))
        whole = data.rfind(b"\n") + 1
        if whole:
            lines = data[:whole].split(b"\n")[:-1]
            return _limited(number, start, lines, limit)
        if number != numbers[-1] and data:
            # A later segment exists, so nobody will ever finish this line.
            return Chunk(number, start + len(data), (), data)
    return None


def _limited(number: int, start: int, lines: list[bytes], limit: int) -> Chunk:
    kept: list[bytes] = []
    end = start
    for line in lines:
        if kept and end - start + len(line) + 1 > limit:
            break
        kept.append(line)
        end += len(line) + 1
    return Chunk(number, end, tuple(kept))
