"""Backup and restore as docs/operations.md tells them: a city is lost, and goes on elsewhere from what was kept."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from loadtest.identity import read_links_file
from loadtest.speech import recording
from tests.support.city import ROOT, City, running_city
from tests.support.handsets import handsets

pytestmark = pytest.mark.wire
WAIT_S = 60.0


def command(*words: str, ends: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "poc_server.cli", *words], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == ends, done.stdout + done.stderr
    return done.stdout + done.stderr


async def said(city: City, links: Path, group: str) -> None:
    recording("zh-report")
    async with handsets(city, links) as street:
        one, two = [await street.connect(each) for each in street.someone(2, group)]
        for phone in (one, two):
            await phone.select(group)
        await one.say(group)
        await two.until_packets(8)


def recordings(city: City, group: str, token: str, count: int) -> list[dict[str, Any]]:
    end = time.monotonic() + WAIT_S
    found: list[dict[str, Any]] = []
    while len(found) < count and time.monotonic() < end:
        found = city.get(f"/api/v1/recordings?group={group}", token)["recordings"]
        time.sleep(0.1)
    return found


def until_signed(data: Path, count: int) -> None:
    """Until the city has signed for that many entries of the group."""
    end = time.monotonic() + WAIT_S
    while signed(data) < count and time.monotonic() < end:
        time.sleep(0.1)
    assert signed(data) == count


def signed(data: Path) -> int:
    lines = [line for file in (data / "evidence").glob("*.heads.jsonl") for line in file.read_text().splitlines()]
    return max((json.loads(line)["count"] for line in lines), default=0)


def test_what_was_kept_is_a_city_again(tmp_path: Path) -> None:
    lost, links, file = tmp_path / "lost", tmp_path / "links", tmp_path / "backup.gz"
    with running_city(lost, "--links", str(links), nodes=1) as city:
        people = read_links_file(links)
        group = next(g for each in people for g in each.talks if sum(g in other.talks for other in people) >= 3)
        token = next(each.token for each in people if group in each.talks)
        asyncio.run(said(city, links, group))
        (first,) = recordings(city, group, token, 1)
        until_signed(lost, 1)
        command("backup", str(file), "--data", str(lost))  # while it runs
        asyncio.run(said(city, links, group))
        assert len(recordings(city, group, token, 2)) == 2
        until_signed(lost, 2)

    new = tmp_path / "new"
    new.mkdir()
    command("restore", str(file), "--data", str(new))
    for kept in lost.iterdir():
        if kept.is_dir():
            shutil.copytree(kept, new / kept.name)
    shutil.copytree(tmp_path / "lost-keys", tmp_path / "new-keys")  # what was signed before is verified by the same key
    with running_city(new, "--links", str(tmp_path / "others"), nodes=1) as city:
        # Signed in as before, for the keys are kept; what was said after the backup is there again, by the journal.
        again = recordings(city, group, token, 2)
        assert first["id"] in {each["id"] for each in again}
        assert len(again) == 2
        asyncio.run(said(city, links, group))
        assert len(recordings(city, group, token, 3)) == 3
        until_signed(new, 3)  # also what was sealed anew: the lost city's head stays beside
    # What was said after the backup was sealed anew when it came back; what the lost city had signed for it is named.
    found = " ".join(command("verify", "--data", str(new), ends=1).split())
    assert re.match(
        rf"rebuilt {group} \S+ #2 signed by \w+ with another seal 3 entries, 2 signed heads, 1 findings$", found
    )
    command("audit", "--data", str(new))
