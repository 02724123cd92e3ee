"""An export stands alone: it is listened to, listed and verified without the server."""

from __future__ import annotations

import asyncio
import csv
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from groups.vocabulary import CallId, Role
from poc_server.recording.settings import RecordingSettings
from poc_server.store import audit_pages
from poc_server.store import tables as t
from poc_server.store.audit_pages import AuditFilter
from poc_server.store.ids import now_ms
from poc_server.worker.siprec import NAMESPACE
from tests.recording.exporter import Exporter, check_manifest, exporter, spoken_and_signed, verify
from tests.recording.field_phone import Phone
from tests.recording.pictures import announcement, png
from tests.recording.town_with_voices import INCIDENT, Voices, store_settings, voices
from tests.recording.voices import SAMPLES, hear
from tests.support.city import ROOT

pytestmark = pytest.mark.wire
__all__ = ["exporter", "store_settings", "voices"]


async def test_an_incident_as_one_zip(voices: Voices, exporter: Exporter, tmp_path: Path) -> None:
    await spoken_and_signed(voices)
    picture = png(40, 30)
    await voices.case(INCIDENT)
    officer = Phone(voices, await voices.as_user(voices.officer))
    place = {"longitude": 121.48, "latitude": 31.24, "source": "device", "at_ms": now_ms() - 95_000}
    cell = {"id": "460-00-4601-13", "source": "shell", "at_ms": now_ms()}
    note = "占道经营\u2028已劝离<!--<script>"  # its second line is one to Python, and not to JSON
    more: dict[str, Any] = {"origin": "gallery", "note": note}
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
    data = page.partition("const data = ")[2].partition(";\nconst ")[0]
    assert (json.loads(data), "<" in data) == (index, False), "a note cannot open or end what the page's script is"
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
