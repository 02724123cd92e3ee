"""An export: one ZIP with voice, lists, a page to listen with, metadata, and what verifies it without us.

Made in the worker, which reads SQL by itself: the media process only names what is wanted.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groups.vocabulary import GroupId
from poc_server.ground import chain
from poc_server.ground.chain import Kind, Stored
from poc_server.recording.layout import inside
from poc_server.recording.proving import beside, judge, verify
from poc_server.store import StoreSettings
from poc_server.store.records import evidence, materials
from poc_server.store.records import recordings as query
from poc_server.store.records.materials import MaterialSearch
from poc_server.store.records.recordings import Found, Page, Scope, Search
from poc_server.store.sql.engine import Database
from poc_server.worker import siprec
from poc_server.worker.convert import convert
from poc_server.worker.listing import burst_item, local_time, material_item, table

PAGE = 200
_HERE = Path(__file__).parent


class TooMuch(Exception):
    """The export would hold more than it may."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be exported, and where to.

    Attributes:
        wanted: the ZIP to be made.
        keys: public keys that signatures may be made with: name → PEM.
        mp3: add copies for players that know no Opus.
        signed: all that was kept when it was begun is signed for. What is not was kept later, and is left out; where
            nothing could be signed, it is held as it is.
    """

    store: StoreSettings
    data: Path
    files: Path
    wanted: Path
    scope: Scope
    search: Search
    keys: Mapping[str, str]
    title: str
    by: str
    at_ms: int
    zone_minutes: int
    mp3: bool
    signed: bool
    most: int
    most_bytes: int


@dataclass(frozen=True, slots=True)
class Made:
    """What became of it. ``manifest`` is the text to be signed: a line with SHA-256 and name for each file."""

    recordings: int
    size: int
    manifest: str


def export(order: Order) -> Made:
    """Make the ZIP.

    Raises:
        TooMuch: more recordings or bytes than allowed.
        OSError: disk trouble.
    """
    found = asyncio.run(_read(order))
    order.wanted.parent.mkdir(parents=True, exist_ok=True)
    half = order.wanted.with_name(f".{order.wanted.name}.{os.getpid()}")
    try:
        with zipfile.ZipFile(half, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            manifest = _fill(_Hashing(archive), order, found)
        half.rename(order.wanted)
    finally:
        half.unlink(missing_ok=True)
    return Made(len(found.rows), order.wanted.stat().st_size, manifest)


def add_signature(archive: Path, name: str, data: bytes) -> None:
    """Add one small file to an export that is made."""
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(name, data)


@dataclass(frozen=True, slots=True)
class _Read:
    """What SQL holds of an export: recordings, photos and notes, the chain, its signed heads, the names of groups."""

    rows: list[Found]
    materials: list[Any]
    entries: list[Stored]
    heads: list[chain.SignedHead]
    groups: Mapping[GroupId, str]


async def _read(order: Order) -> _Read:
    database = Database.open(order.store, order.data)
    try:
        async with database.reading() as connection:
            rows: list[Found] = []
            after: tuple[int, str] | None = None
            while True:
                page = await query.search(connection, order.scope, order.search, Page(PAGE, after, oldest_first=True))
                rows += page
                _bound(order, rows)
                if len(page) < PAGE:
                    break
                after = (page[-1].started_ms, page[-1].key)
            sent = await _materials(connection, order)
            keys = {row.key for row in rows} | {row.id for row in sent}
            days = await evidence.days_of(connection, keys)
            heads = [
                signed
                for signed in await evidence.heads(connection, groups=sorted({group for group, _ in days}))
                if (signed.head.group, signed.head.day) in days
            ]
            entries = await _entries(connection, keys, days, heads)
            late = _unsigned(entries, heads) if order.signed else set()
            rows = [row for row in rows if row.key not in late]
            sent = [row for row in sent if row.id not in late]
            entries = [stored for stored in entries if stored.entry.subject not in late]
            names = await query.group_names(connection, {GroupId(row.group_id) for row in (*rows, *sent)})
            return _Read(rows, sent, entries, heads, names)
    finally:
        await database.aclose()


async def _materials(connection: Any, order: Order) -> list[Any]:
    """Photos and notes of the same group, incident, person, time and area; a call or a length names none."""
    asked = order.search
    if asked.call is not None or asked.tier is not None or asked.shortest_ms or asked.longest_ms:
        return []
    what = MaterialSearch(asked.group, asked.incident, asked.user, None, asked.from_ms, asked.until_ms, asked.area)
    found: list[Any] = []
    after: tuple[int, str] | None = None
    while True:
        page = await materials.search(connection, order.scope, what, Page(PAGE, after, oldest_first=True))
        found += page
        if len(found) > order.most or sum(row.size for row in found) > order.most_bytes:
            raise TooMuch("too many photos")
        if len(page) < PAGE:
            return found
        after = (page[-1].begun_ms, page[-1].id)


def _bound(order: Order, rows: list[Found]) -> None:
    if len(rows) > order.most:
        raise TooMuch(f"more than {order.most} recordings")
    if sum(row.size for row in rows) > order.most_bytes:
        raise TooMuch(f"more than {order.most_bytes} bytes")


async def _entries(
    connection: Any, keys: set[str], days: set[tuple[str, str]], heads: list[chain.SignedHead]
) -> list[Stored]:
    """Every signed entry of the days in which these were sealed; the content only of these and of tombstones."""
    signed = {(each.head.group, each.head.day): each.head.count for each in heads}
    found: list[Stored] = []
    for group, day in sorted(days):
        async for stored in evidence.entries(connection, group=group, day=day):
            wanted = stored.entry.subject in keys
            if stored.entry.position <= signed.get((group, day), 0) or wanted:
                shown = wanted or stored.entry.kind == Kind.TOMBSTONE.value
                found.append(stored if shown else Stored(stored.entry, stored.hash, None))
    return found


def _unsigned(entries: list[Stored], heads: list[chain.SignedHead]) -> set[str]:
    """What stands in the chain after the last that was signed: by its place, for clocks may be wrong."""
    signed = {(each.head.group, each.head.day): each.head.count for each in heads}
    return {
        stored.entry.subject
        for stored in entries
        if stored.entry.position > signed.get((stored.entry.group, stored.entry.day), 0)
    }


class _Hashing:
    """Writes into the archive and remembers the SHA-256 of everything."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self.lines: list[str] = []

    def text(self, name: str, text: str) -> None:
        self.data(name, text.encode())

    def data(self, name: str, data: bytes) -> None:
        self._archive.writestr(name, data)
        self.lines.append(f"{hashlib.sha256(data).hexdigest()}  {name}")

    def file(self, name: str, path: Path) -> None:
        # Opus does not get smaller; what is stored as it is can be played out of the archive.
        self._archive.write(path, name, zipfile.ZIP_STORED)
        with path.open("rb") as file:
            self.lines.append(f"{hashlib.file_digest(file, 'sha256').hexdigest()}  {name}")


def _fill(out: _Hashing, order: Order, found: _Read) -> str:
    items = [burst_item(row, found.groups) for row in found.rows]
    for item, row in zip(items, found.rows, strict=True):
        item["missing"] = not _add_voice(out, order, item, row)
    sent = [material_item(row, found.groups, order.zone_minutes) for row in found.materials]
    for row in found.materials:
        path = _kept(order, row.file)
        if path is not None:
            out.file(f"files/{row.file}", path)
    about: dict[str, Any] = {
        "title": order.title,
        "by": order.by,
        "zone_minutes": order.zone_minutes,
        "made": local_time(order.at_ms, order.zone_minutes),
        "recordings": items,
        "materials": sent,
    }
    listing = json.dumps(about, ensure_ascii=False, indent=1)
    out.text("index.json", listing)
    out.text("index.csv", "\ufeff" + table(items, sent, order.zone_minutes))
    page = (_HERE / "export_page.html").read_text("utf-8")
    # A note may say `</script>`, or `<!--<script>`, after which no end of a script counts: no "<" stands in it at all.
    out.text("index.html", page.replace("/*DATA*/null", listing.replace("<", "\\u003c")))
    out.data("metadata/siprec.xml", siprec.document(items))
    out.text("evidence/entries.jsonl", _lines(chain.entry_to_json(stored) for stored in found.entries))
    out.text("evidence/heads.jsonl", _lines(chain.head_to_json(signed) for signed in found.heads))
    for name, pem in order.keys.items():
        out.text(f"evidence/keys/{name}.pem", pem)
    for module in (chain, judge, beside, verify):
        path = Path(str(module.__file__))
        out.text(f"evidence/{path.name}", path.read_text("utf-8"))
    out.text("README.txt", (_HERE / "export_readme.txt").read_text("utf-8"))
    manifest = "".join(f"{line}\n" for line in sorted(out.lines, key=lambda line: line[66:]))
    out.text("manifest.sha256", manifest)
    return manifest


def _add_voice(out: _Hashing, order: Order, item: dict[str, Any], row: Found) -> bool:
    if not row.file:
        return True
    path = _kept(order, row.file)
    if path is None:
        return False
    out.file(item["file"], path)
    if order.mp3:
        made = order.wanted.with_name(f"{order.wanted.name}.{os.getpid()}.mp3")
        try:
            convert(path, made, "mp3")
            item["mp3"] = f"mp3/{row.key}.mp3"
            out.file(item["mp3"], made)
        finally:
            made.unlink(missing_ok=True)
    return True


def _kept(order: Order, relative: str) -> Path | None:
    """Where a file stands; None when it is gone, or its row was altered and names something outside."""
    try:
        path = inside(order.files, relative)
    except ValueError:
        return None
    return path if path.is_file() else None


def _lines(values: Iterator[dict[str, Any]]) -> str:
    return "".join(f"{json.dumps(value, ensure_ascii=False)}\n" for value in values)
