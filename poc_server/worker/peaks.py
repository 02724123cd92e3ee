"""Loudness over time of one burst, for drawing."""

from __future__ import annotations

import numpy as np
import opuslib

from codec.opus import CLOCK_HZ
from poc_server.worker.arrange import Arranged

PEAKS_PER_SECOND = 20
MAX_PEAKS = 1_000
_RATE = 8_000
_STEP = CLOCK_HZ // _RATE


def peaks(arranged: Arranged) -> bytes:
    """The loudest sample of each of equally long slices, 0–255 of full scale: 20 a second, at most 1,000 in all."""
    decoder = opuslib.Decoder(_RATE, 1)
    parts: list[np.ndarray] = []
    for piece in arranged.pieces:
        size = piece.samples // _STEP
        try:
            parts.append(np.frombuffer(decoder.decode(piece.payload, size), np.int16)[:size])
        except opuslib.OpusError:
            parts.append(np.zeros(size, np.int16))
    if not parts:
        return b""
    sound = np.abs(np.concatenate(parts).astype(np.int32))
    count = max(1, min(MAX_PEAKS, len(sound) * PEAKS_PER_SECOND // _RATE))
    starts = np.arange(count) * len(sound) // count
    return bytes(np.minimum(np.maximum.reduceat(sound, starts) // 128, 255).astype(np.uint8))
