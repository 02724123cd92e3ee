"""The tones of a radio, as samples: what a page makes with an oscillator, made here for recorded messages and bots."""

from __future__ import annotations

from enum import Enum

import numpy as np

from codec.coding import RATE, Samples

Note = tuple[float, int]
"""Frequency in Hz (0 is a rest) and length in ms."""

_FADE_MS = 5
"""Each note swells and dies for so long: an edge would be heard as a click."""


class Tone(Enum):
    """Each tone as its notes."""

    PERMIT = ((880.0, 60), (0.0, 20), (1320.0, 80))
    DENY = ((400.0, 150), (0.0, 50), (300.0, 250))
    QUEUED = ((660.0, 80), (0.0, 80), (660.0, 80))
    REVOKE = ((500.0, 120), (0.0, 40), (500.0, 120), (0.0, 40), (350.0, 240))
    ALERT = ((1000.0, 200), (1500.0, 200), (1000.0, 200), (1500.0, 200))


def render(notes: tuple[Note, ...], loudness: float = 0.3) -> Samples:
    """``notes`` one after the other at ``loudness`` (0–1 of full scale)."""
    parts = [_note(frequency, length, loudness) for frequency, length in notes]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int16)


def tone(which: Tone, loudness: float = 0.3) -> Samples:
    """One of the radio's own tones."""
    return render(which.value, loudness)


def _note(frequency: float, length_ms: int, loudness: float) -> Samples:
    count = RATE * length_ms // 1000
    wave = np.sin(2 * np.pi * frequency * np.arange(count) / RATE)
    fade = min(count // 2, RATE * _FADE_MS // 1000)
    if fade:
        swell = np.sin(np.linspace(0, np.pi / 2, fade)) ** 2
        wave[:fade] *= swell
        wave[count - fade :] *= swell[::-1]
    return np.rint(wave * loudness * 32_767).astype(np.int16)
