"""``poc-server verify``: reads the whole evidence of a server, or of one group, and says what is wrong with it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from poc_server.ground.chain import UNREADABLE, SignedHead, Stored, head_from_json
from poc_server.recording.keeping.folder import NAME
from poc_server.recording.layout import DAILY_SUFFIX, stands
from poc_server.recording.proving.beside import compare
from poc_server.recording.proving.judge import CheckFile, Finding, Wrong, check_files_in, judge, signatures_by
from poc_server.recording.proving.keys import BadKey, name_of
from poc_server.store import evidence_rows
from poc_server.store.records import evidence, folder_marks
from poc_server.store.sql.engine import Database

AT_ONCE = 1_000
_ROW = "its row"
_Rows = Callable[[Sequence[str]], Awaitable[dict[str, dict[str, Any]]]]
"""What the rows of these subjects tell."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was read, and what is wrong."""

    entries: int
    heads: int
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Trust:
    """What is believed: public keys (name → PEM), and heads that were kept outside the database.

    ``unreadable``: lines of daily files that are no heads, or no more.
    """

    keys: dict[str, str]
    heads: tuple[SignedHead, ...] = ()
    unreadable: tuple[Finding, ...] = ()


async def check(database: Database, files: Path, trust: Trust, now: int, group: str | None = None) -> Checked:
    """Verify everything, or one group, as it has to be at ``now`` (ms since the epoch). Raises `StoreUnavailable`."""
    async with database.snapshot() as connection:
        mark = await folder_marks.mark_of(connection, NAME)
        check_file, gone = await asyncio.to_thread(_files_to_check, files, mark)
        heads = await evidence.heads(connection, groups=None if group is None else [group])
        elsewhere = (signed for signed in trust.heads if group in (None, signed.head.group))
        every = list(dict.fromkeys([*heads, *elsewhere]))
        entries = evidence.entries(connection, group=group)
        counting = _Counting(entries, partial(evidence_rows.told, connection), asyncio.get_running_loop())
        findings = await asyncio.to_thread(judge, counting, every, signatures_by(trust.keys), check_file, now)
        strangers = [
            Finding(Wrong.INSERTED, of, "?", None, f"{_ROW}: no entry speaks of {subject}")
            for of, subject in await evidence_rows.unsealed(connection, group)
        ]
    return Checked(counting.count, len(every), (*trust.unreadable, *gone, *findings, *counting.findings, *strangers))


def _files_to_check(folder: Path, mark: str | None) -> tuple[CheckFile, list[Finding]]:
    """How files are checked. A folder that is not the one of the recordings is one thing wrong, not each file in it."""
    if mark is None or stands(folder, mark):
        return check_files_in(folder), []
    detail = f"{folder}: not the folder of the recordings; is its disk mounted? No file was looked at"
    return lambda _: None, [Finding(Wrong.MISSING, "-", "-", None, detail)]


def read_daily(folder: Path) -> tuple[list[SignedHead], list[Finding]]:
    """The heads of all daily files in ``folder``, and what there cannot be read. Raises OSError."""
    heads: list[SignedHead] = []
    unreadable: list[Finding] = []
    for file in sorted(folder.glob(f"*{DAILY_SUFFIX}")):
        day = file.name.removesuffix(DAILY_SUFFIX)
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            try:
                heads.append(head_from_json(json.loads(line)))
            except UNREADABLE:
                place = f"{file}, line {number}: no signed head"
                unreadable.append(Finding(Wrong.BAD_SIGNATURE, "?", day, None, place))
    return heads, unreadable


def read_heads(files: Iterable[Path]) -> tuple[SignedHead, ...]:
    """Heads of daily files. Raises OSError, or ValueError for a line that is none."""
    found = []
    for file in files:
        for number, line in enumerate(file.read_bytes().splitlines(), 1):
            try:
                found.append(head_from_json(json.loads(line)))
            except UNREADABLE:
                raise ValueError(f"{file}, line {number}: no signed head") from None
    return tuple(found)


def read_keys(files: Iterable[Path]) -> dict[str, str]:
    """Public keys by the name that heads call them. Raises OSError or `BadKey`."""
    found: dict[str, str] = {}
    for file in files:
        pem = file.read_text("ascii")
        try:
            key = load_pem_public_key(pem.encode())
        except ValueError as problem:
            raise BadKey(f"{file}: {problem}") from None
        if not isinstance(key, Ed25519PublicKey):
            raise BadKey(f"{file}: no Ed25519 key")
        found[name_of(key)] = pem
    return found


class _Counting:
    """An asynchronous stream as a plain iterable for another thread, a slice at a time.

    Each slice is compared with the rows that stand beside it; ``findings`` say what these tell otherwise.
    """

    def __init__(self, entries: AsyncIterator[Stored], rows: _Rows, loop: asyncio.AbstractEventLoop) -> None:
        self.count = 0
        self.findings: list[Finding] = []
        self._entries = entries
        self._rows = rows
        self._loop = loop

    def __iter__(self) -> Iterator[Stored]:
        while True:
            part = asyncio.run_coroutine_threadsafe(self._slice(), self._loop).result()
            self.count += len(part)
            yield from part
            if len(part) < AT_ONCE:
                return

    async def _slice(self) -> list[Stored]:
        part: list[Stored] = []
        async for stored in self._entries:
            part.append(stored)
            if len(part) == AT_ONCE:
                break
        rows = await self._rows([stored.entry.subject for stored in part])
        self.findings += compare(part, rows, where=_ROW)
        return part
