"""``poc-server verify`` on a server's own folder, as an operator runs it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from poc_server.recording.settings import RecordingSettings
from poc_server.store import StoreSettings
from tests.recording.town_with_voices import Voices, voices

pytestmark = pytest.mark.wire
__all__ = ["voices"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def store_settings() -> StoreSettings:
    return StoreSettings()


def verify(data: Path, *options: object) -> tuple[int, str]:
    command = [sys.executable, "-m", "poc_server.cli", "verify", "--data", str(data), *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env={"PATH": "/usr/bin", "COLUMNS": "200"})
    return done.returncode, done.stdout + done.stderr


async def test_a_server_verifies_and_each_tampering_is_named(voices: Voices, tmp_path: Path) -> None:
    assert RecordingSettings().evidence_key is None
    for _ in range(3):
        await voices.say(frames=5)
    await voices.recordings.notary.sign_now()
    data = tmp_path / "data"
    assert verify(data) == (0, "3 entries, 1 signed heads, 0 findings\n")
    (daily,) = (data / "evidence").glob("*.heads.jsonl")
    kept = tmp_path / daily.name
    kept.write_text(daily.read_text())
    assert verify(data, "--heads", kept)[0] == 0
    file = sorted((data / "recordings").rglob("*.ogg"))[1]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    code, said = verify(data)
    assert (code, said.startswith("altered")) == (1, True)
    file.write_bytes(whole)
    database = sqlite3.connect(data / "poc.sqlite")
    database.executescript(
        "DROP TRIGGER evidence_no_delete; DELETE FROM evidence WHERE position = 3;"
        "UPDATE evidence_day SET entries = 2, signed_entries = 2, signature = NULL"
    )
    database.close()
    code, said = verify(data, "--group", voices.group)
    assert (code, "3 entries" in said) == (0, False), said
    code, said = verify(data, "--heads", kept)
    assert (code, said.startswith("cut_short")) == (1, True)


async def test_what_cannot_be_read_is_said(voices: Voices, tmp_path: Path) -> None:
    (tmp_path / "junk").write_text("junk\n")
    for option in ("--heads", "--key"):
        code, said = verify(tmp_path / "data", option, tmp_path / "junk")
        assert (code, "junk" in said) == (1, True)
    (tmp_path / "data-keys" / "evidence.pem").unlink()
    code, said = verify(tmp_path / "data")
    assert (code, "no key to verify with" in said) == (1, True)
