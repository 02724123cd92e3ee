"""Every forgery of an export is found out, by whoever has its files and no program of ours."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from poc_server.recording.proving import verify as program
from poc_server.store import tables as t
from tests.recording.exporter import Exporter, check_manifest, exporter, spoken_and_signed, verify
from tests.recording.town_with_voices import INCIDENT, Voices, store_settings, voices

pytestmark = pytest.mark.wire
__all__ = ["exporter", "store_settings", "voices"]


def flip(path: Path, at: int = -100) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def rewrite(path: Path, change: Callable[[list[Any]], list[Any]]) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in change(lines)))


def listed(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """A forger of the list, who also has the manifest made anew; he lacks the key alone."""

    def forge(folder: Path) -> None:
        index = json.loads((folder / "index.json").read_text())
        change(index)
        (folder / "index.json").write_text(json.dumps(index, ensure_ascii=False, indent=1))
        list_anew(folder)

    return forge


def list_anew(folder: Path) -> None:
    names = [line[66:] for line in (folder / "manifest.sha256").read_text().splitlines()]
    lines = [f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}\n" for name in names]
    (folder / "manifest.sha256").write_text("".join(lines))


def spoil(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")


LIST = "recordings"
FORGERIES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte of a recording": (lambda f: flip(next(f.rglob("*.ogg"))), "ALTERED"),
    "a recording removed": (lambda f: next(f.rglob("*.ogg")).unlink(), "MISSING"),
    "an entry removed": (lambda f: rewrite(f / "evidence/entries.jsonl", lambda e: e[:1] + e[2:]), "MISSING"),
    "the last entry dropped": (lambda f: rewrite(f / "evidence/entries.jsonl", lambda e: e[:-1]), "CUT_SHORT"),
    "another name in a record": (lambda f: spoil(f / "evidence/entries.jsonl", "王建国", "李四"), "its record"),
    "a head with another count": (
        lambda f: rewrite(f / "evidence/heads.jsonl", lambda h: [{**h[0], "count": 3}]),
        "BAD_SIGNATURE",
    ),
    "an entry that is none": (
        lambda f: (p := f / "evidence/entries.jsonl").write_text(p.read_text() + '{"at_ms": Infinity}\n'),
        "ALTERED: - - #- evidence/entries.jsonl: nothing in line 6",
    ),
    "a head that is none": (
        lambda f: (f / "evidence/heads.jsonl").write_bytes(b"[" * 100_000 + b"\n\xff\n"),
        "ALTERED: - - #- evidence/heads.jsonl: nothing in line 2",
    ),
    "no entries": (lambda f: (f / "evidence/entries.jsonl").unlink(), "index.json: no entry speaks of b-"),
    "a key that is none": (lambda f: (f / "evidence/keys/x.pem").write_bytes(b"\xff"), "evidence/keys/x.pem: not in"),
    "no heads": (lambda f: (f / "evidence/heads.jsonl").write_text(""), "UNSIGNED"),
    "another name in the list": (
        listed(lambda index: index[LIST][1].update(talker_name="李四")),
        "#2 index.json: user_name of b-",
    ),
    "another time in the list": (
        listed(lambda index: index[LIST][1].update(started_ms=index[LIST][1]["started_ms"] + 1)),
        "#2 index.json: started_ms of b-",
    ),
    "another drawing in the list": (
        listed(lambda index: index[LIST][1].update(peaks=[255] * 9)),
        "#2 index.json: peaks_sha256 of b-",
    ),
    "a drawing that is none": (listed(lambda index: index[LIST][1].update(peaks=10**15)), "index.json: no list"),
    "another group in the list": (listed(lambda index: index[LIST][0].update(group="gr-x")), "#1 index.json: group of"),
    "one more in the list": (
        listed(lambda index: index[LIST].append({**index[LIST][0], "id": "b-new"})),
        "INSERTED: ? ? #- index.json: no entry speaks of b-new",
    ),
    "one less in the list": (listed(lambda index: index[LIST].pop(1)), "MISSING: gr-"),
    "two that changed places in the list": (listed(lambda index: index[LIST].reverse()), "REORDERED: gr-"),
    "no list": (lambda f: (f / "index.json").unlink(), "index.json: no list"),
    "a list that is none": (lambda f: (f / "index.json").write_text("[1]"), "index.json: no list"),
    "another name in the spreadsheet": (
        lambda f: spoil(f / "index.csv", "王建国", "李四"),
        "ALTERED: - - #- index.csv",
    ),
    "another name on the page, and its digest": (
        lambda f: (spoil(f / "index.html", "王建国", "李四"), list_anew(f)),
        "BAD_SIGNATURE: - - #- manifest.sha256: no key",
    ),
    "a file put in": (lambda f: (f / "files" / "new.ogg").write_bytes(b"OggS"), "INSERTED: - - #- files/new.ogg"),
    "the metadata removed": (lambda f: (f / "metadata/siprec.xml").unlink(), "MISSING: - - #- metadata/siprec.xml"),
}


@pytest.fixture
async def unforged(voices: Voices, exporter: Exporter, tmp_path: Path) -> Path:
    await spoken_and_signed(voices)
    return await exporter.unpacked(tmp_path / "out", search={"incident": INCIDENT})


async def test_every_forgery_of_an_export_is_found_out(
    unforged: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the same program, in this process; where it needs no key it is the same without libraries, too."""
    for number, (forgery, (forge, found)) in enumerate(FORGERIES.items()):
        folder = shutil.copytree(unforged, tmp_path / str(number))
        forge(folder)
        if "BAD_SIGNATURE" in found or "key" in forgery:
            code, said = verify(folder)
        else:
            code, said = program.main(str(folder)), capsys.readouterr().out
        assert (code, found in said) == (1, True), f"{forgery}: {said}"
    assert verify(unforged)[0] == 0


async def test_an_export_of_rows_that_were_changed_in_sql_is_found_out(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    """The server itself signs such a list: what it was made from is not what was sealed."""
    await spoken_and_signed(voices)
    async with voices.store.writing() as connection:
        await connection.execute(t.burst.update().values(user_name="李四", started_ms=t.burst.c.started_ms - 7_000))
    folder = await exporter.unpacked(tmp_path / "out", search={"incident": INCIDENT})
    check_manifest(folder)
    code, said = verify(folder)
    assert code == 1
    assert said.count("index.json: user_name, started_ms of b-") == 4, said
