"""An export stands alone: it is listened to, listed and verified without the server, and every forgery is found."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import pytest

from groups.vocabulary import CallId, Role
from poc_server.recording import verify as program
from poc_server.recording.settings import RecordingSettings
from poc_server.store import StoreSettings, audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.ids import now_ms
from poc_server.worker.siprec import NAMESPACE
from tests.recording.pictures import announcement, png
from tests.recording.test_materials import Phone
from tests.recording.town_with_voices import INCIDENT, PLACE, Voices, voices
from tests.recording.voices import SAMPLES, hear
from tests.support.city import ROOT

pytestmark = pytest.mark.wire
__all__ = ["voices"]


@pytest.fixture
def store_settings() -> StoreSettings:
    return StoreSettings()


@dataclass
class Exporter:
    voices: Voices
    headers: dict[str, str]
    user: str = ""

    async def order(self, **asked: Any) -> httpx.Response:
        return await self.voices.client.post("/exports", headers=self.headers, json=asked)

    async def made(self, **asked: Any) -> dict[str, Any]:
        """The export when it is finished, whatever became of it."""
        answer = await self.order(**asked)
        assert answer.status_code == 202, answer.text
        return await self.finished(answer.json()["id"])

    async def finished(self, export: str) -> dict[str, Any]:
        async with asyncio.timeout(120):
            while True:
                state = (await self.voices.client.get(f"/exports/{export}", headers=self.headers)).json()
                if state["state"] != "making":
                    return dict(state)
                await asyncio.sleep(0.02)

    async def unpacked(self, folder: Path, **asked: Any) -> Path:
        made = await self.made(**asked)
        assert made["state"] == "ready", made
        return await self.fetched(made["id"], folder)

    async def fetched(self, export: str, folder: Path) -> Path:
        answer = await self.voices.client.get(f"/exports/{export}/file", headers=self.headers)
        assert answer.headers["content-type"] == "application/zip"
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            assert archive.testzip() is None
            archive.extractall(folder)
        return folder


@pytest.fixture
async def exporter(voices: Voices) -> Exporter:
    user = await voices.town.person(Role.SHIFT_LEADER, name="值班长")
    return Exporter(voices, await voices.as_user(user), user)


def verify(folder: Path) -> tuple[int, str]:
    """By a Python that has neither this program nor any library: signatures are checked by the openssl command."""
    python = Path(sys.base_prefix) / "bin" / "python3"
    done = subprocess.run([python, "-E", "-s", "evidence/verify.py", "."], capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


async def spoken_and_signed(voices: Voices) -> list[str]:
    keys = []
    for i, incident in enumerate((INCIDENT, INCIDENT, None, INCIDENT, INCIDENT)):
        keys.append(await voices.say(incident=incident, place=PLACE, frames=10 + i))
    await voices.recordings.notary.sign_now()
    return keys


async def test_an_incident_as_one_zip(voices: Voices, exporter: Exporter, tmp_path: Path) -> None:
    await spoken_and_signed(voices)
    picture = png(40, 30)
    await voices.case(INCIDENT)
    officer = Phone(voices, await voices.as_user(voices.officer))
    place = {"longitude": 121.48, "latitude": 31.24, "source": "device", "at_ms": now_ms() - 95_000}
    cell = {"id": "460-00-4601-13", "source": "shell", "at_ms": now_ms()}
    more: dict[str, Any] = {"origin": "gallery", "note": "占道经营\u2028已劝离"}  # to Python, not to JSON, a line's end
    said = announcement(picture, voices.group, incident=INCIDENT, place=place, cell=cell, **more)
    await officer.send(picture, **said)
    folder = await exporter.unpacked(tmp_path / "out", title="占道经营 =1+1", search={"incident": INCIDENT}, mp3=True)
    index = json.loads((folder / "index.json").read_text())
    assert [each["duration_ms"] for each in index["recordings"]] == [400, 440, 520, 560]
    for each in index["recordings"]:
        assert hear((folder / each["file"]).read_bytes()).plays == each["duration_ms"] * SAMPLES // 40
        assert (folder / each["mp3"]).stat().st_size > 1_000
    (photo,) = index["materials"]
    assert (folder / photo["file"]).read_bytes() == picture
    assert photo["lines"][0].startswith("王建国")
    assert verify(folder)[0] == 0
    with (folder / "index.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["kind"] for row in rows] == ["burst"] * 4 + ["photo"]
    assert [row["place_source"] for row in rows] == ["device"] * 5
    assert 4_000 < int(rows[4]["place_age_ms"]) < 10_000
    assert rows[0]["started"].endswith("+08:00")
    assert {row["group_name"] for row in rows} == {"市容一组"}
    assert (rows[4]["cell"], rows[4]["cell_source"], rows[4]["origin"]) == ("460-00-4601-13", "shell", "gallery")
    assert (rows[0]["cell"], rows[0]["origin"], rows[0]["device_time"], rows[0]["clock_offset_ms"]) == ("",) * 4
    by_device, by_server, kept = (datetime.fromisoformat(rows[4][name]) for name in ("device_time", "started", "kept"))
    assert round(by_device.timestamp() * 1000) == said["taken_ms"]
    assert by_server - by_device == timedelta(milliseconds=int(rows[4]["clock_offset_ms"]))
    assert by_device < by_server < kept
    assert all(datetime.fromisoformat(row["kept"]) >= datetime.fromisoformat(row["started"]) for row in rows)
    page = (folder / "index.html").read_text()
    assert "占道经营" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    siprec = ET.parse(folder / "metadata" / "siprec.xml").getroot()
    assert len(siprec.findall(f"{{{NAMESPACE}}}session")) == 4
    assert len(siprec.findall(f"{{{NAMESPACE}}}participant")) == 1


async def test_it_verifies_without_us_by_the_documented_lines(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    await spoken_and_signed(voices)
    folder = await exporter.unpacked(tmp_path / "out", search={"incident": INCIDENT})
    assert verify(folder) == (0, "5 entries, 1 signed heads, 0 findings\n")
    check_manifest(folder)
    entries = [json.loads(line) for line in (folder / "evidence" / "entries.jsonl").read_text().splitlines()]
    assert [entry["content"] is None for entry in entries] == [False, False, True, False, False]


def check_manifest(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "manifest.sha256"], cwd=folder, check=True)
    (key,) = (folder / "evidence" / "keys").glob("*.pem")
    command = f"openssl pkeyutl -verify -pubin -inkey {key} -rawin -in manifest.sha256 -sigfile manifest.sha256.sig"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)


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


def test_a_full_or_read_only_disk_is_told_and_holds_no_half_export(tmp_path: Path) -> None:
    """In a mount namespace of its own, on a real file system of 16 KiB: full, read-only, then with room."""
    script = Path(__file__).with_name("small_exports.py")
    inside = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path}/inside", script]
    done = subprocess.run(["unshare", "-rm", *inside], capture_output=True, text=True, cwd=ROOT, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


async def test_an_export_is_made_though_the_daily_heads_cannot_be_written(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    await spoken_and_signed(voices)
    (daily,) = (tmp_path / "data" / "evidence").glob("*.heads.jsonl")
    daily.unlink()
    daily.mkdir()
    key = await voices.say(incident=INCIDENT)
    made = await exporter.unpacked(tmp_path / "unpacked", search={"incident": INCIDENT})
    assert key in {one["id"] for one in json.loads((made / "index.json").read_text("utf-8"))["recordings"]}
    assert verify(made)[0] == 0


async def test_two_exports_at_once_and_what_others_asked_for_stays_theirs(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    await spoken_and_signed(voices)
    await voices.say(call=CallId("ca-1"), frames=10)
    one, two, three = await asyncio.gather(
        exporter.unpacked(tmp_path / "a", search={"incident": INCIDENT}),
        exporter.unpacked(tmp_path / "b", search={"from_ms": 1, "until_ms": now_ms() + 1_000}),
        exporter.unpacked(tmp_path / "c", search={"call": "ca-1"}),
    )
    assert [len(list(folder.rglob("*.ogg"))) for folder in (one, two, three)] == [4, 6, 1]
    assert [verify(folder)[0] for folder in (one, two, three)] == [0, 0, 0]
    mine = (await voices.client.get("/exports", headers=exporter.headers)).json()
    stranger = await voices.as_user(await voices.town.person(Role.SHIFT_LEADER, name="另一"))
    assert (await voices.client.get("/exports", headers=stranger)).json() == []
    for path in (f"/exports/{mine[0]['id']}", f"/exports/{mine[0]['id']}/file"):
        assert (await voices.client.get(path, headers=stranger)).status_code == 404


async def test_who_may_not_export_is_refused_and_audited(voices: Voices) -> None:
    key = await voices.say(incident=INCIDENT)
    officer = Exporter(voices, await voices.as_user(voices.officer))
    answer = await officer.order(search={"incident": INCIDENT})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")
    await voices.store.journal.drain()
    async with voices.store.reading() as connection:
        assert (
            len((await audit_pages.page(connection, AuditFilter(voices.town.agency, action="export.refused"))).rows)
            == 1
        )
    assert key


async def test_a_wish_that_names_nothing_or_too_much_is_refused(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    assert (await exporter.order(search={})).status_code == 422
    assert (await exporter.order(search={"from_ms": 1})).status_code == 422
    await spoken_and_signed(voices)
    settings = RecordingSettings(export_recordings=4)
    voices.recordings.exports._settings = settings
    assert (await exporter.made(search={"incident": INCIDENT}))["state"] == "ready"
    assert (await exporter.made(search={"group": voices.group}))["state"] == "too_large"
    assert list((tmp_path / "data" / "exports").glob(".*")) == []


async def test_a_recording_whose_file_is_gone_is_named_as_missing(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    await spoken_and_signed(voices)
    root = tmp_path / "data" / "recordings"
    gone, altered, *_ = root.rglob("*.ogg")
    gone.unlink()
    outside = t.burst.update().where(t.burst.c.file == altered.relative_to(root).as_posix())
    async with voices.store.writing() as connection:
        await connection.execute(outside.values(file="../poc.sqlite"))
    folder = await exporter.unpacked(tmp_path / "out", search={"group": voices.group})
    index = json.loads((folder / "index.json").read_text())
    assert sum(each["missing"] for each in index["recordings"]) == 2
    code, said = verify(folder)
    assert (code, "MISSING" in said, "index.json: file of b-" in said) == (1, True, True)
