"""One after the other, on whichever nodes: for what is to be counted by all nodes as if there were one.

Each that counts says so to the others, which takes as long as a message takes: of a thousand attempts in one
millisecond each node would let through as many as all together may.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol
from weakref import WeakValueDictionary

from poc_server.fabric.interface import Unavailable

WAIT_S = 0.5
"""Whose turn has not come by then goes on with what his node knows: a node may die in its turn."""
LOOK_S = 0.002


class Meeting(Protocol):
    """Where the nodes meet (`poc_server.fabric.redis`)."""

    incarnation: str

    async def hold(self, lease: str) -> str:
        """Take a lease; returns who holds it. Raises `Unavailable`."""

    async def drop(self, lease: str, of: str | None = None) -> None:
        """Give it up."""

    async def said(self) -> None:
        """Returns when all that was cast is out, or cannot be."""

    async def heard_all(self) -> None:
        """Returns when all that others cast before this was heard. Raises `Unavailable`."""


class Turns:
    """Without the others each node is its own city, and so are its turns."""

    def __init__(self, fabric: Meeting) -> None:
        self._fabric = fabric
        self._here: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def of(self, name: str) -> AsyncIterator[None]:
        """Within it all that was said in turns of that name before was heard here; what is said is out after it."""
        here = self._here.setdefault(name, asyncio.Lock())
        async with here:
            mine = await self._begin(name)
            try:
                yield
            finally:
                if mine:
                    await self._fabric.said()
                    await self._fabric.drop(_lease(name))

    async def _begin(self, name: str) -> bool:
        """Whether the turn is this node's."""
        with contextlib.suppress(Unavailable, TimeoutError):
            async with asyncio.timeout(WAIT_S):
                while await self._fabric.hold(_lease(name)) != self._fabric.incarnation:  # noqa: ASYNC110 - tells nobody
                    await asyncio.sleep(LOOK_S)
            await self._fabric.heard_all()
            return True
        return False


def _lease(name: str) -> str:
    return f"turn:{name}"
