"""Somebody who has exports made, and what he may check of them with no program of ours."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from groups.vocabulary import Role
from tests.recording.town_with_voices import INCIDENT, PLACE, Voices


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


def check_manifest(folder: Path) -> None:
    subprocess.run(["sha256sum", "--check", "--quiet", "manifest.sha256"], cwd=folder, check=True)
    (key,) = (folder / "evidence" / "keys").glob("*.pem")
    command = f"openssl pkeyutl -verify -pubin -inkey {key} -rawin -in manifest.sha256 -sigfile manifest.sha256.sig"
    subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
