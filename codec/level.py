"""How loud a frame is, as RFC 6464 puts it into one byte."""

from __future__ import annotations

import math

import numpy as np

from codec.coding import Samples

SILENCE = 127
"""The level of digital silence, and of all that is quieter than −127 dBov (RFC 6464 §3)."""


def level(samples: Samples) -> int:
    """−dBov of ``samples``: 0 is the loudest a 16-bit signal can be, 127 silence (RFC 6464 §3, RFC 6465 appendix)."""
    if not len(samples):
        return SILENCE
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    if power == 0.0:
        return SILENCE
    return min(SILENCE, max(0, round(-10 * math.log10(power / 32_767.0**2))))
