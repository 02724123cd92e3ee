"""Lists of what has a name, as the directory holds it: by pinyin, without holding the loop."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from poc_server.store.city.pinyin import sorted_as
from poc_server.store.sql.statements import in_parts

SLICE = 25
"""Looked at before the loop may do something else: a millisecond where the pinyin of each has to be found."""
SORTED_AT_ONCE = 500
"""Put in their order before it may again."""


class Named(Protocol):
    """What has a name and an id."""

    @property
    def name(self) -> str:
        """As it is shown."""

    @property
    def id(self) -> str:
        """As it is found."""


T = TypeVar("T", bound=Named)


def by_pinyin(item: Named) -> tuple[str, str]:
    """What lists go by."""
    return sorted_as(item.name), item.id


async def in_order(items: Iterable[T], fits: Callable[[T], bool] = lambda _: True) -> list[T]:
    """Those of them that fit."""
    found: list[T] = []
    for part in in_parts(items, SLICE):
        for each in part:
            if fits(each):
                by_pinyin(each)  # remembered, so that sorting is quick
                found.append(each)
        await asyncio.sleep(0)
    if len(found) <= SORTED_AT_ONCE:
        return sorted(found, key=by_pinyin)
    runs: list[list[T]] = []
    for part in in_parts(found, SORTED_AT_ONCE):
        runs.append(sorted(part, key=by_pinyin))
        await asyncio.sleep(0)
    merged: list[T] = []
    for part in in_parts(heapq.merge(*runs, key=by_pinyin), SORTED_AT_ONCE):
        merged += part
        await asyncio.sleep(0)
    return merged
