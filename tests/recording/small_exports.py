"""Run by test_export.py, by pytest in a mount namespace: exports on a disk that is full, and has room again."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.recording.exporter import Exporter, exporter, spoken_and_signed, verify
from tests.recording.town_with_voices import Voices, store_settings, voices

__all__ = ["exporter", "store_settings", "voices"]


def mount(*arguments: str | Path) -> None:
    subprocess.run(["mount", *arguments], check=True)


async def test_an_export_on_a_full_disk_fails_leaves_nothing_and_succeeds_when_there_is_room(
    voices: Voices, exporter: Exporter, tmp_path: Path
) -> None:
    keys = await spoken_and_signed(voices)
    folder = tmp_path / "data" / "exports"
    folder.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", "size=16k", "small", folder)
    failed = await exporter.made(search={"group": voices.group})
    assert (failed["state"], failed["size"]) == ("disk", 0)
    assert list(folder.iterdir()) == [], "half an export would keep the disk full for a day"
    answer = await voices.client.get(f"/exports/{failed['id']}/file", headers=exporter.headers)
    assert answer.status_code in (404, 409)
    mount("-o", "remount,ro", folder)
    assert (await exporter.made(search={"group": voices.group}))["state"] == "disk"
    mount("-o", "remount,rw,size=8m", folder)
    made = await exporter.unpacked(tmp_path / "unpacked", search={"group": voices.group})
    assert len(list(made.glob("files/**/*.ogg"))) == len(keys)
    assert verify(made)[0] == 0
