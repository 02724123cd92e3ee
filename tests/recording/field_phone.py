"""A phone in the field, that sends what was taken with it."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from poc_server.recording.keeping import uploads
from tests.recording.pictures import png
from tests.recording.town_with_voices import Voices

CHUNK = uploads.CHUNK_BYTES
PICTURE = png()


class Phone:
    """A phone that sends what it has taken."""

    def __init__(self, voices: Voices, headers: dict[str, str]) -> None:
        self.voices = voices
        self.headers = headers

    async def announce(self, **said: Any) -> httpx.Response:
        return await self.voices.client.post("/materials", headers=self.headers, json=said)

    async def put(self, material: str, offset: int, chunk: bytes) -> httpx.Response:
        headers = {**self.headers, "upload-offset": str(offset), "content-type": "application/offset+octet-stream"}
        return await self.voices.client.patch(f"/materials/{material}/upload", headers=headers, content=chunk)

    async def send(self, picture: bytes, **said: Any) -> dict[str, Any]:
        state = (await self.announce(**said)).json()
        while state["state"] == "receiving":
            at = state["offset"]
            answer = await self.put(state["id"], at, picture[at : at + state["chunk_bytes"]])
            assert answer.status_code == 200, answer.text
            state = answer.json()
        return dict(state)


@pytest.fixture
async def phone(voices: Voices) -> Phone:
    return Phone(voices, await voices.as_user(voices.officer))
