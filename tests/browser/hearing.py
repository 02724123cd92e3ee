"""Judges what was heard against what was said: delay, correlation by windows, intelligibility, lost beginnings."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from math import gcd
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

RATE = 48_000
JS = Path(__file__).with_name("hearing.js").read_text()
Samples = NDArray[np.float64]


@dataclass(frozen=True)
class Recording:
    """Mono samples at 48 kHz; ``start`` is the time of the first in ms since the epoch.

    ``gap``: for so many ms the machine stood still, as far as the recorder knows; times after it are to be doubted.
    """

    start: float
    samples: Samples
    gap: float = 0.0

    @classmethod
    def taken(cls, value: dict[str, Any]) -> Recording:
        pcm = np.frombuffer(base64.b64decode(value["pcm"]), dtype="<i2").astype(np.float64)
        rate, common = value["rate"], gcd(RATE, value["rate"])
        samples = resample_poly(pcm / 32768, RATE // common, rate // common)
        return cls(value["start"], samples, value["gap"])

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
    lag = int(np.argmax(np.abs(_products(heard, said)[: len(heard)])))
    return lag * 1000 / RATE


def _products(wide: Samples, part: Samples) -> Samples:
    """The scalar product of ``part`` with ``wide`` from each place of it on, those beyond its end with silence."""
    size = 1 << (len(part) + len(wide) - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(wide, size) * np.conj(np.fft.rfft(part, size)), size)


@dataclass(frozen=True)
class Window:
    """A second of what was said, the same as it was heard, and their waveform correlation."""

    said: Samples
    heard: Samples
    correlation: float


def windows(said: Samples, heard: Samples, window_s: float = 1.0) -> list[Window]:
    """What was said by windows, each aligned within ±60 ms (a jitter buffer stretches time); silence left out."""
    size, reach, out = int(RATE * window_s), int(RATE * 0.06), []
    loud = 0.1 * float(np.sqrt(np.mean(said**2)))
    for start in range(reach, min(len(said), len(heard)) - size - reach, size):
        a = said[start : start + size]
        if float(np.sqrt(np.mean(a**2))) < loud:
            continue
        wide = heard[start - reach : start + size + reach]
        shifted = _products(wide, a - a.mean())[: 2 * reach + 1]
        best = int(np.argmax(shifted))
        b = wide[best : best + size]
        spread = float(np.std(a) * np.std(b)) * size
        out.append(Window(a, b, float(shifted[best]) / spread if spread else 0.0))
    return out


def lost_before_arrival_ms(said: Samples, heard: Samples) -> float:
    """Sound at the beginning of ``said`` that never arrived, in ms, by steps of 10; silence does not count.

    Both begin at the same time. A jitter buffer that stretches the burst later on must not count as a loss here: what
    is compared is aligned by the first 0.3 s alone. The first 60 ms of ``said`` that stand in ``heard`` (waveform
    correlation above 0.7, shifted by at most 20 ms) have arrived; what was spoken before them is lost.
    """
    step, size, reach = RATE // 100, RATE * 6 // 100, RATE // 50
    loud = 0.2 * float(np.sqrt(np.mean(said[: RATE // 2] ** 2)))
    spoken = [at for at in range(0, RATE // 2, step) if float(np.sqrt(np.mean(said[at : at + step] ** 2))) >= loud]
    beginning = said[spoken[0] : spoken[0] + RATE * 3 // 10]
    late = _place(beginning, heard[spoken[0] : spoken[0] + RATE])
    lost = 0
    for start in spoken:
        window, place = said[start : start + size], start + late
        wide = np.concatenate([np.zeros(max(0, reach - place)), heard[max(0, place - reach) : place + size + reach]])
        if len(wide) >= size and _best_correlation(window, wide) > 0.7:
            break
        lost += 10
    return float(lost)


def _place(part: Samples, wide: Samples) -> int:
    """Where in ``wide`` it sounds most like ``part``, however loud it is there."""
    count = len(wide) - len(part) + 1
    energy = np.cumsum(np.concatenate([[0.0], wide**2]))
    loud = np.sqrt(energy[len(part) :][:count] - energy[:count]) + 1e-3
    return int(np.argmax(_products(wide, part)[:count] / loud))


def _best_correlation(window: Samples, wide: Samples) -> float:
    """The best of ``window`` with any part of ``wide``, by steps of half a millisecond; 0 where that is silent."""
    parts = np.lib.stride_tricks.sliding_window_view(wide, len(window))[::24]
    parts = parts - parts.mean(axis=1, keepdims=True)
    spread = parts.std(axis=1)
    products = parts @ (window - window.mean()) / len(window)
    loud = spread > 1e-5
    return float(np.max(products[loud] / spread[loud], initial=0.0)) / float(np.std(window))
