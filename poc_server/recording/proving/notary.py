"""Signs what was sealed, soon after it was, and writes each day's heads to a file that can be handed out."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import structlog

from poc_server.ground import durable
from poc_server.ground.chain import Head, SignedHead, head_from_json, head_to_json
from poc_server.ground.refused import Refused
from poc_server.recording.layout import DAILY_SUFFIX
from poc_server.recording.proving.keys import EvidenceKey
from poc_server.recording.settings import RecordingSettings
from poc_server.store import Store
from poc_server.store.records import evidence

SLICE = 100
"""Heads that are signed in one go: a thousand, as after an hour in which SQL was away, would hold up the loop."""
log = structlog.get_logger(__name__)


class Notary:
    """Signs the heads of every group's day.

    Args:
        folder: where ``YYYY-MM-DD.heads.jsonl`` and ``keys/NAME.pem`` (public keys) are written.
    """

    def __init__(self, key: EvidenceKey, store: Store, settings: RecordingSettings, folder: Path) -> None:
        self.key = key
        self.signed = 0
        self._store = store
        self._settings = settings
        self._folder = folder
        self._not_written: set[str] = set()
        self._not_copied: set[str] = set()
        """Days of whose daily file, here and where others keep it, something that was signed may be missing."""
        self._misfits: set[SignedHead] = set()
        """Heads of daily files that the chain has no more; told once."""
        self._task: asyncio.Task[None] | None = None
        self._signing = asyncio.Lock()
        """An export signs what it holds while the clock signs too: what waits is signed once."""

    def start(self) -> None:
        """Sign from now on, every ``sign_every_s``."""
        self._task = asyncio.create_task(self._run(), name="notary")

    async def aclose(self) -> None:
        """Stop; what is unsigned is signed at the next start."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def sign_now(self) -> list[SignedHead]:
        """Sign all that waits; returns the new heads. Raises `StoreUnavailable`, OSError (of the daily file)."""
        async with self._signing:
            return await self._sign()

    async def _sign(self) -> list[SignedHead]:
        made: list[SignedHead] = []
        after: tuple[str, str] | None = None
        while True:
            async with self._store.reading() as connection:
                waiting = await evidence.unsigned(connection, SLICE, after)
            if waiting:
                part = await asyncio.to_thread(self._signed, waiting)
                async with self._store.writing() as connection:
                    await evidence.keep_signatures(connection, part)
                made += part
                self.signed += len(part)
                self._not_written.update(signed.head.day for signed in part)
            if len(waiting) < SLICE:
                break
            after = (waiting[-1].day, waiting[-1].group_id)
        await self._write_days(sorted(self._not_written | self._not_copied))
        return made

    def _signed(self, waiting: Sequence[Any]) -> list[SignedHead]:
        return [
            self.key.sign(Head(row.group_id, row.day, row.entries, bytes(row.hash), self._store.clock(), self.key.name))
            for row in waiting
        ]

    def trusted(self) -> dict[str, str]:
        """Public keys that have signed here: name → PEM. Reads a few small files."""
        kept = {path.stem: path.read_text("ascii") for path in (self._folder / "keys").glob("*.pem")}
        return kept | {self.key.name: self.key.public_pem()}

    async def _run(self) -> None:
        about_s = self._settings.sign_every_s
        while True:
            try:
                waiting = await self._store.looks.ask(lambda connection: evidence.unsigned(connection, 1), about_s)
                if waiting or self._not_written or self._not_copied:
                    await self.sign_now()
            except (Refused, OSError) as problem:
                log.warning("evidence_not_signed", problem=str(problem))
                await asyncio.sleep(about_s)

    async def _write_days(self, days: list[str]) -> None:
        for day in days:
            async with self._store.reading() as connection:
                heads = await evidence.heads(connection, days=[day])
            await self._write_day(self._folder, day, heads)
            self._not_written.discard(day)
            await self._copy_day(day, heads)

    async def _copy_day(self, day: str, heads: list[SignedHead]) -> None:
        """Also where others keep it; a share that is away is tried again."""
        folder = self._settings.heads_folder
        if folder is None:
            return
        try:
            await self._write_day(folder, day, heads)
        except (Refused, OSError) as problem:
            if day not in self._not_copied:
                log.warning("evidence_not_copied", day=day, folder=str(folder), problem=str(problem))
            self._not_copied.add(day)
        else:
            self._not_copied.discard(day)

    async def _write_day(self, folder: Path, day: str, heads: list[SignedHead]) -> None:
        """A line gives way only where the chain still has its seal: one that was rebuilt is named for good."""
        file = folder / f"{day}{DAILY_SUFFIX}"
        before = await asyncio.to_thread(_others_in, file, heads)
        reached = {signed.head.group: signed.head.count for signed in heads}
        seals = await self._seals(day, before)
        stay = []
        for signed in before:
            head = signed.head
            fits = seals.get((head.group, head.count)) == head.hash
            if not fits and signed not in self._misfits:
                self._misfits.add(signed)
                log.error("evidence_rebuilt", group=head.group, day=day, count=head.count, file=str(file))
            if not fits or reached.get(head.group, 0) < head.count:
                stay.append(signed)
        await asyncio.to_thread(self._write, file, [*heads, *stay])

    async def _seals(self, day: str, signed_for: list[SignedHead]) -> dict[tuple[str, int], bytes]:
        if not signed_for:
            return {}
        async with self._store.reading() as connection:
            return await evidence.seals(connection, day, [(each.head.group, each.head.count) for each in signed_for])

    def _write(self, file: Path, heads: list[SignedHead]) -> None:
        key = file.parent / "keys" / f"{self.key.name}.pem"
        durable.make_folder(key.parent)
        if not key.exists():
            durable.write(key, self.key.public_pem())
        durable.write(file, "".join(f"{_line(signed)}\n" for signed in heads))


def _line(signed: SignedHead) -> str:
    return json.dumps(head_to_json(signed), ensure_ascii=False, sort_keys=True)


def _others_in(file: Path, heads: list[SignedHead]) -> list[SignedHead]:
    """What ``file`` holds beside ``heads``. Raises OSError."""
    if not file.exists():
        return []
    known = {_line(signed) for signed in heads}
    found = []
    for line in file.read_bytes().splitlines():
        text = line.decode("utf-8", "replace")
        if text not in known:
            with contextlib.suppress(ValueError, KeyError, TypeError):  # no head, or half of one: nothing to keep
                found.append(head_from_json(json.loads(text)))
    return list(dict.fromkeys(found))
