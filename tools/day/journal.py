"""What the day writes down as it goes: scenes with their pictures, sounds, and what was checked."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass
class Picture:
    """One screen. ``wide``: a desk's, not a phone's."""

    caption: str
    png: bytes
    wide: bool = False


@dataclass
class Sound:
    """One recording, as the case system got it."""

    caption: str
    ogg: bytes


@dataclass
class Scene:
    """One part of the story."""

    title: str
    story: str
    at: float
    checks: list[tuple[bool, str]] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def check(self, holds: bool, said: str) -> None:
        self.checks.append((holds, said))

    def picture(self, caption: str, png: bytes, wide: bool = False) -> None:
        self.pictures.append(Picture(caption, png, wide))

    def text(self, caption: str, content: str) -> None:
        self.texts.append((caption, content))

    @property
    def clock(self) -> str:
        """The time of day in the city."""
        return (datetime.fromtimestamp(self.at, UTC) + timedelta(hours=8)).strftime("%H:%M:%S")


@dataclass
class Journal:
    """The whole day."""

    scenes: list[Scene] = field(default_factory=list)
    problem: str = ""

    def scene(self, title: str, story: str) -> Scene:
        found = Scene(title, story, time.time())
        self.scenes.append(found)
        return found

    @property
    def ok(self) -> bool:
        return not self.problem and all(holds for scene in self.scenes for holds, _ in scene.checks)


def data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
