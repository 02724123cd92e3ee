"""How the calls of a standing group end. Times in ms."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallRules:
    """Set for each group (TS 24.379 §6.3.3, timers TNG1 to TNG3 and T4 of TS 24.380).

    Attributes:
        hang_ms: T4, without a burst for so long its call ends; None: never for that reason.
        maximum_ms: TNG3, the longest a call lasts; it stands still during an emergency.
        least: with fewer present its call ends, or does not begin.
    """

    hang_ms: int | None = 30_000
    maximum_ms: int = 3_600_000
    least: int = 2
