"""Judges what was heard against what was said: delay, correlation by windows, intelligibility, lost beginnings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

RATE = 48_000
JS = Path(__file__).with_name("hearing.js").read_text()
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """Mono samples at 48 kHz; ``start`` is the time of the first in ms since the epoch."""

    start: float
    samples: Samples

    @classmethod
    def taken(cls, value: dict[str, Any]) -> Recording:
        pcm = np.frombuffer(base64.b64decode(value["pcm"]), dtype="<i2").astype(np.float64)
        return cls(value["start"], pcm / 32768)

    def between(self, begin: float, end: float) -> Samples:
        """The samples rendered from ``begin`` to ``end`` (ms since the epoch), silence where there are none."""
        first = round((begin - self.start) * RATE / 1000)
        count = round((end - begin) * RATE / 1000)
        out = np.zeros(count)
        low, high = max(0, first), min(len(self.samples), first + count)
        if high > low:
            out[low - first : high - first] = self.samples[low:high]
        return out


def delay_ms(said: Samples, heard: Samples) -> float:
    """By how much ``heard`` is later than ``said`` (both begin at the same time), by cross-correlation."""
    size = 1 << (len(said) + len(heard) - 1).bit_length()
    product = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(said, size)), size)
    lag = int(np.argmax(np.abs(product[: len(heard)])))
    return lag * 1000 / RATE


def window_correlations(said: Samples, heard: Samples, window_s: float = 1.0) -> list[float]:
    """Waveform correlation per window of speech, each aligned within ±15 ms (a jitter buffer stretches time)."""
    size, reach, out = int(RATE * window_s), int(RATE * 0.015), []
    loud = 0.1 * float(np.sqrt(np.mean(said**2)))
    for start in range(reach, min(len(said), len(heard)) - size - reach, size):
        a = said[start : start + size]
        if float(np.sqrt(np.mean(a**2))) < loud:
            continue
        wide = heard[start - reach : start + size + reach]
        shifted = np.correlate(wide, a - a.mean(), mode="valid")
        best = int(np.argmax(shifted))
        b = wide[best : best + size]
        spread = float(np.std(a) * np.std(b)) * size
        out.append(float(shifted[best]) / spread if spread else 0.0)
    return out


def onset_ms(samples: Samples, threshold: float) -> float | None:
    """When the sound first exceeds ``threshold`` (root mean square of 5 ms), in ms from the beginning."""
    size = RATE // 200
    usable = samples[: len(samples) // size * size].reshape(-1, size)
    loud = np.nonzero(np.sqrt((usable**2).mean(axis=1)) > threshold)[0]
    return float(loud[0]) * 5 if len(loud) else None
