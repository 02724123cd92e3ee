"""A state that is one number, and events that are words: the least a fabric can carry."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class Numbers:
    def state_to_json(self, state: int) -> Any:
        return state

    def state_from_json(self, value: Any) -> int:
        return int(value)

    def event_to_json(self, event: Any) -> Any:
        return event

    def event_from_json(self, value: Any) -> Any:
        return value


class Seen:
    """What a subscriber was told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, Sequence[Any], int]] = []

    def __call__(self, state: int, events: Sequence[Any], version: int) -> None:
        self.told.append((state, tuple(events), version))

    @property
    def words(self) -> list[Any]:
        return [each for _, events, _ in self.told for each in events]
