"""Officers of the demo city who walk round their streets and report where they are, as their phones would."""

from __future__ import annotations

import asyncio
import contextlib
import math

from groups.model import User
from poc_server.demo.streets import COLUMNS, HIGH, ROWS, SOUTH, STREETS, WEST, WIDE
from poc_server.store import Store
from poc_server.store.places import Battery, Motion, Place, Position

REPORT_S = 10.0
STANDS_EVERY = 3
"""Every so many officers one stays where he was last seen: dispatchers must see an old place for what it is."""
ROUND_S = 900.0
"""Time in which an officer walks once round his street."""
PACE_MPS = 1.4


class Walks:
    """Reports places for as long as it is open."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Walks:
        self._task = asyncio.get_running_loop().create_task(self._walk())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _walk(self) -> None:
        walking = walkers(self._store)
        while True:
            for number, user, spot in walking:
                self._store.places.put(place_of(number, user, spot, self._store.clock()))
            await asyncio.sleep(REPORT_S)


def walkers(store: Store) -> list[tuple[int, User, tuple[int, int]]]:
    """Officers of the four streets' first teams who walk: a number, the officer, his street's place on the map."""
    snapshot = store.directory.snapshot
    found = []
    for number, user in enumerate(sorted(snapshot.users.values(), key=lambda user: (user.badge, user.id))):
        unit = snapshot.units.get(user.unit)
        street = None if unit is None or unit.parent is None else snapshot.units.get(unit.parent)
        spot = None if street is None else STREETS.get(street.name)
        if spot is not None and not user.badge.startswith("XC-") and number % STANDS_EVERY:
            found.append((number, user, spot))
    return found


def place_of(number: int, user: User, spot: tuple[int, int], now: int) -> Place:
    """Where the officer with this number is at ``now`` (ms since the epoch)."""
    turn = 2 * math.pi * ((now / 1000 / ROUND_S + number * 0.37) % 1)
    reach = 0.2 + 0.06 * (number % 4)
    x, y = 0.5 + reach * math.cos(turn), 0.5 + reach * math.sin(turn)
    position = Position(
        at_ms=now,
        longitude=round(WEST + (spot[0] + x) * COLUMNS * WIDE, 6),
        latitude=round(SOUTH + (spot[1] + y) * ROWS * HIGH, 6),
        accuracy_m=6.0 + number % 5 * 8,
    )
    motion = Motion(at_ms=now, speed_mps=PACE_MPS, heading_deg=round(-math.degrees(turn) % 360, 1) % 360)
    battery = Battery(at_ms=now, percent=30 + number * 37 % 70)
    return Place(
        user=user.id, agency=user.agency, at_ms=now, received_ms=now, position=position, motion=motion, battery=battery
    )
