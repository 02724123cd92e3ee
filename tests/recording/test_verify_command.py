"""``poc-server verify`` on a server's own folder, as an operator runs it."""

from __future__ import annotations

import asyncio
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from poc_server import cli
from poc_server.recording.settings import RecordingSettings
from tests.recording.town_with_voices import Voices, store_settings, voices

pytestmark = pytest.mark.wire
__all__ = ["store_settings", "voices"]
ROOT = Path(__file__).parents[2]


async def verify(data: Path, *options: object, heads_folder: Path | None = None) -> tuple[int, str]:
    """Exit code, and all it says where a line is narrower than a finding."""
    setting = {} if heads_folder is None else {"POC_RECORDING__HEADS_FOLDER": str(heads_folder)}
    words = ["verify", "--data", str(data), *map(str, options)]
    done = await asyncio.to_thread(CliRunner().invoke, cli.app, words, env={"COLUMNS": "60", **setting})
    return done.exit_code, done.output


async def test_a_server_verifies_and_each_tampering_is_named(voices: Voices, tmp_path: Path) -> None:
    assert RecordingSettings().evidence_key is None
    for _ in range(3):
        await voices.say(frames=5)
    await voices.recordings.notary.aclose()
    await voices.recordings.notary.sign_now()
    data = tmp_path / "data"
    command = [sys.executable, "-m", "poc_server.cli", "verify", "--data", str(data)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, cwd=ROOT)
    assert (done.returncode, done.stderr) == (0, "3 entries, 1 signed heads, 0 findings\n")
    (daily,) = (data / "evidence").glob("*.heads.jsonl")
    day = daily.name.removesuffix(".heads.jsonl")
    elsewhere = tmp_path / "share"
    elsewhere.mkdir()
    kept = elsewhere / daily.name
    kept.write_bytes(daily.read_bytes())
    assert (await verify(data, "--heads", kept))[0] == 0

    # The disk of all recordings.
    (data / "recordings").rename(tmp_path / "the disk")
    (data / "recordings").mkdir()
    code, said = await verify(data)
    assert (code, "No file was looked at" in said.replace("\n", " "), said.count("missing")) == (1, True, 1), said
    (data / "recordings").rmdir()
    (tmp_path / "the disk").rename(data / "recordings")

    # One recording.
    file = sorted((data / "recordings").rglob("*.ogg"))[1]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, said = await verify(data)
    named = rf"altered {voices.group} {day} #[123] file {file.relative_to(data / 'recordings')}"
    assert (code, re.match(named, said) is not None) == (1, True), said
    file.write_bytes(whole)

    # One row.
    tamper(data, "DROP TRIGGER evidence_no_update; CREATE TABLE was AS SELECT * FROM evidence")
    tamper(data, "UPDATE evidence SET content = replace(content, '王建国', '李四') WHERE position = 3")
    code, said = await verify(data)
    assert (code, said.startswith(f"altered {voices.group} {day} #3 its record")) == (1, True), said
    tamper(data, "UPDATE evidence SET content = (SELECT was.content FROM was WHERE was.position = evidence.position)")
    assert (await verify(data))[0] == 0

    # One row of what pages and exports show: its own table, beside the chain.
    tamper(data, "UPDATE burst SET user_name = '李四' WHERE key = (SELECT subject FROM evidence WHERE position = 2)")
    code, said = await verify(data)
    assert (code, said.startswith(f"altered {voices.group} {day} #2 its row: user_name of b-")) == (1, True), said
    tamper(data, "UPDATE burst SET user_name = '王建国'")
    assert (await verify(data))[0] == 0

    # One head: in a daily file, readable or not.
    line = daily.read_text()
    for forged, found in (
        (line.replace('"count": 3', '"count": 2'), f"bad_signature {voices.group} {day} #2"),
        ("{", "bad_signature ?"),
    ):
        daily.write_text(forged)
        code, said = await verify(data)
        assert (code, said.startswith(found)) == (1, True), said
    daily.write_text(line)

    # The last row with its head in the database: the daily file still knows, this server's or the one kept elsewhere.
    tamper(
        data,
        "DELETE FROM burst WHERE key = (SELECT subject FROM evidence WHERE position = 3);"
        "DROP TRIGGER evidence_no_delete; DELETE FROM evidence WHERE position = 3;"
        "UPDATE evidence_day SET entries = 2, signed_entries = 2, signature = NULL",
    )
    code, said = await verify(data, "--group", voices.group)
    assert (code, said.startswith(f"cut_short {voices.group} {day} #3")) == (1, True), said
    daily.unlink()
    code, said = await verify(data)
    assert (code, "cut_short" in said) == (0, False), "who can forge the whole data folder is found out from elsewhere"
    for code, said in [await verify(data, "--heads", kept), await verify(data, heads_folder=elsewhere)]:
        assert (code, said.startswith("cut_short")) == (1, True), said
    assert "no daily heads" in (await verify(data, heads_folder=tmp_path / "away"))[1]


def tamper(data: Path, script: str) -> None:
    """As somebody who may do anything to the database."""
    database = sqlite3.connect(data / "poc.sqlite")
    database.executescript(script)
    database.close()


async def test_what_cannot_be_read_is_said(voices: Voices, tmp_path: Path) -> None:
    (tmp_path / "junk").write_text("junk\n")
    for option in ("--heads", "--key"):
        code, said = await verify(tmp_path / "data", option, tmp_path / "junk")
        assert (code, "junk" in said) == (1, True)
    (tmp_path / "data-keys" / "evidence.pem").unlink()
    code, said = await verify(tmp_path / "data")
    assert (code, "no key to verify with" in said) == (1, True)
