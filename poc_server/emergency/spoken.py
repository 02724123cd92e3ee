"""Recorded messages for broadcasts and plans: taken as WAV, kept as Ogg/Opus under the name of their content.

A key says how long its message is (``m-<40 hex>-<samples at 48 kHz>``), so that nothing but the file need be kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused
from poc_server.recording.replaying.listening import AudioForm, Listening
from poc_server.work import WorkerPort
from poc_server.work.client import JobFailed, WorkerDied
from poc_server.work.limits import MAX_S, RATE

MAX_WAV_BYTES = MAX_S * RATE * 2 + 4_096
"""Largest upload: the longest message at 48 kHz, 16 bit, mono, and its header."""
_KEY = re.compile(r"m-[0-9a-f]{40}-([1-9][0-9]{0,8})")


@dataclass(frozen=True, slots=True)
class SpokenMessage:
    """A kept message; ``samples`` at 48 kHz."""

    key: str
    samples: int


class SpokenMessages:
    """The folder of recorded messages."""

    def __init__(self, worker: WorkerPort, folder: Path, made: Path) -> None:
        self._worker = worker
        self._folder = folder
        self._listening = Listening(worker, folder, made)

    async def keep(self, wav: bytes) -> SpokenMessage:
        """Puts a message on disk.

        Refuses: too_large, bad_message (no 16-bit PCM WAV of 8, 12, 16, 24 or 48 kHz; empty; longer than two minutes).
        """
        if len(wav) > MAX_WAV_BYTES:
            raise Refused(Refusal.TOO_LARGE, "message")
        name = hashlib.sha256(wav).hexdigest()[:40]
        source = self._folder / f"{name}.wav"
        await asyncio.to_thread(self._put, source, wav)
        try:
            done = await self._worker.run("message", source=str(source), folder=str(self._folder), name=name)
        except JobFailed as problem:
            code = Refusal.UNAVAILABLE if problem.disk else Refusal.BAD_MESSAGE
            raise Refused(code, f"message: {problem}"[:200]) from None
        except WorkerDied:
            raise Refused(Refusal.UNAVAILABLE, "message") from None
        finally:
            await asyncio.to_thread(source.unlink, missing_ok=True)
        return SpokenMessage(done["key"], done["samples"])

    def find(self, key: str) -> SpokenMessage | None:
        """The message with that key; None when there is none of that name."""
        matched = _KEY.fullmatch(key)
        if matched is None or not (self._folder / f"{key}.ogg").is_file():
            return None
        return SpokenMessage(key, int(matched[1]))

    async def file(self, message: SpokenMessage, form: AudioForm) -> Path:
        """Its audio. Refuses: not_found, unavailable."""
        return await self._listening.file(message.key, f"{message.key}.ogg", form)

    def _put(self, path: Path, content: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
