"""What the day writes down as it goes: scenes with their pictures, sounds, and what was checked. In both languages."""

from __future__ import annotations

import base64
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta


@dataclass(frozen=True)
class Words:
    """The same said in English and Chinese."""

    en: str
    zh: str


@dataclass(frozen=True)
class Person:
    """Who plays."""

    name: str
    part: Words


@dataclass(frozen=True)
class Picture:
    """One screen. ``wide``: a desk's, not a phone's."""

    caption: Words
    content: bytes
    wide: bool = False
    kind: str = "image/png"


@dataclass(frozen=True)
class Sound:
    """One recording, as the case system got it. ``at``: when it was said, s since the epoch; ``peaks``: 0 to 255."""

    who: str
    at: float
    seconds: float
    ogg: bytes
    peaks: bytes


@dataclass(frozen=True)
class Check:
    """Something that must hold. ``timed``: a busy machine may break it, so that tests pass over it."""

    holds: bool
    said: Words
    timed: bool = False


@dataclass
class Scene:
    """One part of the story."""

    title: Words
    story: Words
    at: float
    checks: list[Check] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    texts: list[tuple[Words, str]] = field(default_factory=list)

    def check(self, holds: bool, en: str, zh: str) -> None:
        self.checks.append(Check(holds, Words(en, zh)))

    def measured(self, holds: bool, en: str, zh: str) -> None:
        self.checks.append(Check(holds, Words(en, zh), timed=True))

    def picture(self, caption: Words, content: bytes, wide: bool = False, kind: str = "image/png") -> None:
        self.pictures.append(Picture(caption, content, wide, kind))

    def text(self, caption: Words, content: str) -> None:
        self.texts.append((caption, content))


@dataclass
class Journal:
    """The whole day."""

    cast: list[Person] = field(default_factory=list)
    scenes: list[Scene] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    events: int = 0
    ended: float = 0.0
    problem: str = ""

    def scene(self, title: Words, story: Words) -> Scene:
        found = Scene(title, story, time.time())
        self.scenes.append(found)
        return found

    def said_in(self, scene: Scene) -> list[Sound]:
        """The voices of one scene: what was said from its begin to the next one's."""
        after = self.scenes[self.scenes.index(scene) + 1 :]
        until = after[0].at if after else float("inf")
        return [sound for sound in self.sounds if scene.at <= sound.at < until]

    @property
    def ok(self) -> bool:
        return not self.problem and all(check.holds for scene in self.scenes for check in scene.checks)


def clock(at: float) -> str:
    """The time of day in the city."""
    return (datetime.fromtimestamp(at, UTC) + timedelta(hours=8)).strftime("%H:%M:%S")


def data_url(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
