"""When people of a dispatch network talk: sessions of bursts, as TS 22.179 and measured networks have it."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

MEAN_BURST_S: Final = 4.69
MEAN_SESSION_S: Final = 8.58
SHORTEST_BURST_S: Final = 0.4
LONGEST_BURST_S: Final = 25.0
"""Below the transmit time limit of a group (30 s), which is not what is measured here."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Means in seconds; all times are exponential unless ``fixed``, then each is its mean.

    Attributes:
        pause_s: between two sessions of a group.
        turn_s: between two bursts of a session.
        contention: how many bursts out of one somebody else presses into.
        patience_s: how long that one waits in the queue.
    """

    burst_s: float = MEAN_BURST_S
    session_s: float = MEAN_SESSION_S
    pause_s: float = 10.0
    turn_s: float = 0.8
    contention: float = 0.1
    patience_s: float = 4.0
    fixed: bool = False

    def time(self, mean: float, source: random.Random) -> float:
        """One time with this mean."""
        return mean if self.fixed or not mean else source.expovariate(1 / mean)

    def burst(self, source: random.Random) -> float:
        """The length of one burst, kept within the limits of a group."""
        return min(LONGEST_BURST_S, max(SHORTEST_BURST_S, self.time(self.burst_s, source)))
