"""What differs between two snapshots, found in slices: a city that is loaded whole must not hold up voice."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from groups.vocabulary import DeviceId, GroupId, UnitId, UserId
from poc_server.store.directory.snapshot import EMPTY, Snapshot

K = TypeVar("K")
V = TypeVar("V")
SLICE = 250
"""Things compared before the loop may do something else: well below a millisecond."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of what is new, gone or other; users and groups also where a membership is."""

    users: frozenset[UserId]
    groups: frozenset[GroupId]
    units: frozenset[UnitId]
    devices: frozenset[DeviceId]
    shifts: frozenset[str]


async def difference(before: Snapshot, after: Snapshot) -> Difference:
    """Compare all of two snapshots. Neither ever changes, so others may go on meanwhile."""
    users = await _changed(before.users, after.users)
    groups = await _changed(before.groups, after.groups)
    for group in [*after.members, *(group for group in before.members if group not in after.members)]:
        moved = await _changed(before.members.get(group, EMPTY), after.members.get(group, EMPTY))
        if moved:
            groups.add(group)
            users |= moved
    return Difference(
        frozenset(users),
        frozenset(groups),
        frozenset(await _changed(before.units, after.units)),
        frozenset(await _changed(before.devices, after.devices)),
        frozenset(await _changed(before.shifts, after.shifts)),
    )


async def _changed(old: Mapping[K, V], new: Mapping[K, V]) -> set[K]:
    found: set[K] = set()
    for number, (key, value) in enumerate(new.items(), 1):
        if old.get(key) != value:
            found.add(key)
        if number % SLICE == 0:
            await asyncio.sleep(0)
    for number, key in enumerate(old, 1):
        if key not in new:
            found.add(key)
        if number % SLICE == 0:
            await asyncio.sleep(0)
    await asyncio.sleep(0)
    return found
