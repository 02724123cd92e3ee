"""Recordings on disk as 48 kHz mono samples."""

from __future__ import annotations

import wave
from math import gcd
from pathlib import Path

import numpy as np
import numpy.typing as npt

from codec.coding import RATE, Samples

_TAPS_PER_PHASE = 32
MAX_WAV_SECONDS = 3_600
"""A longer file is refused: it would be held in memory whole."""


class NotWav(Exception):
    """The file is not 16-bit PCM, or is damaged, or too long."""


def read_wav(path: Path) -> Samples:
    """16-bit PCM of any rate and channel count as 48 kHz mono. Raises `NotWav` or OSError."""
    try:
        with wave.open(str(path), "rb") as file:
            rate, channels, frames = file.getframerate(), file.getnchannels(), file.getnframes()
            if file.getsampwidth() != 2:
                raise NotWav(f"{path.name}: {8 * file.getsampwidth()} bits a sample, not 16")
            if rate < 4_000 or frames > rate * MAX_WAV_SECONDS:
                raise NotWav(f"{path.name}: {frames} frames at {rate} Hz")
            raw = np.frombuffer(file.readframes(frames), dtype="<i2")
    except (wave.Error, EOFError) as problem:
        raise NotWav(f"{path.name}: {problem}") from None
    mixed = raw[: len(raw) // channels * channels].reshape(-1, channels).mean(axis=1)
    return _to_int16(resample(mixed, rate, RATE))


def resample(samples: npt.NDArray[np.float64], rate: int, wanted: int) -> npt.NDArray[np.float64]:
    """``samples`` at another rate by a windowed sinc filter, whose delay is taken out again."""
    if rate == wanted or not len(samples):
        return samples
    common = gcd(rate, wanted)
    up, down = wanted // common, rate // common
    widest = max(up, down)
    half = _TAPS_PER_PHASE * widest // 2
    at = np.arange(-half, half + 1)
    kernel = np.sinc(at / widest) * np.kaiser(len(at), 8.0) * up / widest
    stuffed = np.zeros(len(samples) * up)
    stuffed[::up] = samples
    size = 1 << (len(stuffed) + len(kernel) - 1).bit_length()
    filtered = np.fft.irfft(np.fft.rfft(stuffed, size) * np.fft.rfft(kernel, size), size)
    return np.asarray(filtered[half : half + len(stuffed) : down])


def _to_int16(samples: npt.NDArray[np.float64]) -> Samples:
    return np.clip(np.rint(samples), -32_768, 32_767).astype(np.int16)
