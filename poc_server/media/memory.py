"""Giving freed memory back to the system after many handshakes."""

from __future__ import annotations

import ctypes
from typing import Any

MANY = 100
"""Settled handshakes that make a trim worth its while: each has freed some 70 KB."""
QUIET_S = 2.0
"""No voice and no handshake for so long: a trim takes some 20 µs per settled phone, and holds up whoever allocates."""


def _find_trim() -> Any:
    call = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if call is not None:
        call.argtypes = (ctypes.c_size_t,)
        call.restype = ctypes.c_int
    return call


_trim = _find_trim()


class Trimmer:
    """Calls the C library's ``malloc_trim`` when there is much to gain and nobody to disturb.

    Without it the peak of a storm, 105 KB a phone, stays resident though two thirds of it are free.
    """

    __slots__ = ("_settled", "trims")

    def __init__(self) -> None:
        self._settled = 0
        self.trims = 0

    def settled(self) -> None:
        """A phone's TLS state was freed."""
        self._settled += 1

    def tick(self, quiet_s: float) -> None:
        """Trim if it is time; ``quiet_s``: for so long nobody was there to be disturbed."""
        if self._settled < MANY or quiet_s < QUIET_S:
            return
        self._settled = 0
        self.trims += 1
        if _trim is not None:
            _trim(0)
