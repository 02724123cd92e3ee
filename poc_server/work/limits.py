"""What node and worker must agree on about files that come from people."""

from __future__ import annotations

RATE = 48_000
"""Samples a second of what is kept."""
RATES = (8_000, 12_000, 16_000, 24_000, 48_000)
"""Rates that are taken, whole parts of 48 kHz: to resample any other, memory would grow a thousandfold."""
MAX_S = 120
"""Longest message."""
SUFFIXES = {"image/jpeg": "jpg", "image/png": "png", "image/webp": "webp", "image/heic": "heic"}
"""Media types of pictures that are taken, and how their files are called."""
