"""Speech of real people as marked Opus frames, encoded once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from codec.coding import FRAME_MS, RATE, encode_all
from codec.wav import read_wav
from loadtest.mark import Frame, speech_bytes

SPEECH: Final = Path(__file__).with_name("speech")
PACKET_BYTES: Final = 100
"""Size of a packet in the default profile: 40 ms at 20 kb/s."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A spoken message. ``step`` is the RTP time of one frame."""

    name: str
    frame_ms: int
    frames: tuple[Frame, ...]

    @property
    def step(self) -> int:
        """Samples of one frame at 48 kHz."""
        return RATE // 1000 * self.frame_ms


def names() -> list[str]:
    """The recordings there are."""
    return sorted(path.stem for path in SPEECH.glob("*.wav"))


@cache
def recording(name: str, frame_ms: int = FRAME_MS, size: int = PACKET_BYTES) -> Recording:
    """A recording as frames that make packets of ``size`` bytes once marked.

    Raises ValueError when speech would have less than 6 kb/s left, or more than 128 kb/s.
    """
    rate = speech_bytes(size) * 8 * 1000 // frame_ms
    packets = encode_all(read_wav(SPEECH / f"{name}.wav"), frame_ms, min(rate, 32_000))
    return Recording(name, frame_ms, tuple(Frame(packet, size) for packet in packets))
