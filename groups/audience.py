"""Which talk bursts a listener hears, on which of its slots. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Burst = TypeVar("Burst")


def assign(slots: tuple[Burst | None, ...], wanted: Sequence[Burst]) -> tuple[Burst | None, ...]:
    """Put the most important of the bursts on air into the slots.

    Args:
        slots: what each slot carries now.
        wanted: the bursts this listener may and wants to hear, most important first.

    Returns:
        What each slot carries from now on. A burst that stays keeps its slot, so nothing is cut to be moved.
    """
    chosen = wanted[: len(slots)]
    after: list[Burst | None] = [burst if burst in chosen else None for burst in slots]
    waiting = iter([burst for burst in chosen if burst not in after])
    return tuple(next(waiting, None) if burst is None else burst for burst in after)
