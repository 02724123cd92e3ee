"""Lists of people and devices as the directory holds them: what an administrator sees while SQL is away.

Names, their pinyin and badges are searched; sign-in names stand in SQL only.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from typing import TypeVar

from groups.model import User
from groups.vocabulary import AgencyId, UserId
from poc_server.store.city.in_order import SLICE, by_pinyin
from poc_server.store.city.people import UserFilter
from poc_server.store.city.pinyin import sorted_as, sounds
from poc_server.store.city.sessions import NOBODY
from poc_server.store.directory.snapshot import Device, Snapshot
from poc_server.store.sql.statements import in_parts

After = tuple[str, str] | None
T = TypeVar("T", bound=User | Device)


async def users_page(snapshot: Snapshot, wanted: UserFilter, limit: int, after: After) -> tuple[list[User], int]:
    """As `people.users_page`."""

    def fits(user: User) -> bool:
        return (
            user.agency == wanted.agency
            and (wanted.units is None or user.unit in wanted.units)
            and (wanted.role is None or wanted.role in user.roles)
            and (wanted.kind is None or user.kind is wanted.kind)
            and (wanted.enabled is None or user.enabled is wanted.enabled)
            and _holds(user, wanted.text)
        )

    return await _page(snapshot.users.values(), fits, limit, after, key=by_pinyin)


async def devices_page(
    snapshot: Snapshot, agency: AgencyId, limit: int, *, user: UserId | None, text: str, after: After
) -> tuple[list[Device], int]:
    """As `sessions.devices_page`."""

    def fits(device: Device) -> bool:
        owner = None if device.user is None else snapshot.users.get(device.user)
        named = text.lower() in device.name.lower() or (owner is not None and _holds(owner, text))
        return device.agency == agency and (user is None or device.user == user) and named

    return await _page(snapshot.devices.values(), fits, limit, after, key=by_owner(snapshot))


def by_owner(snapshot: Snapshot) -> Callable[[Device], tuple[str, str]]:
    """What lists of devices go by."""

    def key(device: Device) -> tuple[str, str]:
        owner = None if device.user is None else snapshot.users.get(device.user)
        return NOBODY if owner is None else sorted_as(owner.name), device.id

    return key


def _holds(user: User, text: str) -> bool:
    return text.lower() in user.name.lower() or text.lower() in user.badge.lower() or sounds(user.name, text)


async def _page(
    items: Iterable[T], fits: Callable[[T], bool], limit: int, after: After, key: Callable[[T], tuple[str, str]]
) -> tuple[list[T], int]:
    found: list[T] = []
    total = 0
    for part in in_parts(items, SLICE):
        fitting = [each for each in part if fits(each)]
        total += len(fitting)
        beyond = [each for each in fitting if after is None or key(each) > after]
        found = heapq.nsmallest(limit, [*found, *beyond], key=key)
        await asyncio.sleep(0)
    return found, total
