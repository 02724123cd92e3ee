"""A recorded message from WAV to Ogg/Opus."""

from __future__ import annotations

import os
import wave
from pathlib import Path

from codec.coding import FRAME_MS, encode_all
from codec.wav import NotWav, read_wav
from poc_server.work.limits import MAX_S, RATE, RATES
from poc_server.worker.arrange import Arranged, Piece
from poc_server.worker.ogg import write_ogg

BIT_RATE = 32_000
FRAME = RATE // 1000 * FRAME_MS


def encode_message(source: Path, folder: Path, name: str) -> tuple[str, int]:
    """Make ``m-<name>-<samples>.ogg`` in ``folder``; returns its key and how many samples (48 kHz) it plays.

    Raises:
        NotWav: what was given is no 16-bit PCM of one of `RATES`, is empty, or longer than `MAX_S`.
        OSError: disk trouble.
    """
    _look(source)
    sound = read_wav(source)
    pieces = tuple(Piece(packet, FRAME) for packet in encode_all(sound, bit_rate=BIT_RATE))
    samples = len(pieces) * FRAME
    key = f"m-{name}-{samples}"
    wanted = folder / f"{key}.ogg"
    half = folder / f".{key}.{os.getpid()}"
    try:
        write_ogg(half, Arranged(pieces, len(pieces), 0, 0), {}, name)
        half.rename(wanted)
    finally:
        half.unlink(missing_ok=True)
    return key, samples


def _look(source: Path) -> None:
    """Before anything is made of it: a small file may claim to be a long one."""
    try:
        with wave.open(str(source), "rb") as file:
            rate, frames = file.getframerate(), file.getnframes()
    except (wave.Error, EOFError) as problem:
        raise NotWav(str(problem)) from None
    if rate not in RATES or not 0 < frames <= rate * MAX_S:
        raise NotWav(f"{frames} frames at {rate} Hz")
