"""Waiting for what tells nobody, while nodes come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from loadtest.phone import PhoneFailed
from tests.nodes.patrol import patrol
from tests.support.city import City
from tests.support.handsets import Handset, Handsets

WAIT_S = 120.0


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not await asyncio.to_thread(_held, holds):  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.05)


def _held(holds: Callable[[], bool]) -> bool:
    try:
        return holds()
    except (OSError, StopIteration):
        return False


def whole(city: City, node: int = 0) -> bool:
    """Whether this node is back: one that still drains, or has not met the desk, takes no phone."""
    return city.node_status(node, "/readyz") == 200 and city.node_metric(node, "poc_nodes") == 2


async def come_back(phone: Handset, url: str) -> None:
    """Try until a node takes it in."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await phone.come_back(url)
            except (PhoneFailed, OSError):
                await asyncio.sleep(0.1)
            else:
                return


async def three(street: Handsets, alone: int = 0) -> tuple[str, Handset, Handset, Handset]:
    """A group and three of its people: one on the node ``alone``, two on the other."""
    group, (a, b, c) = await patrol(street, alone, 1 - alone, 1 - alone)
    for phone in (a, c):
        await phone.until_online(group, 3)
    return group, a, b, c
