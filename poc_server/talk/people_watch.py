"""Who is there, for pages that ask every few seconds: told whole once, and then who is different.

A city has thousands, and each of its consoles asks. What all of them want is looked up once a second for them together,
and what a console then costs goes by how many came, went or changed, not by how many are there.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from groups.vocabulary import UserId
from poc_server.talk.clock import loop_time
from poc_server.talk.people import PersonHere

LOOK_EVERY_S = 1.0
LOOKED_AT_ONCE = 200
"""People, before voice gets its turn again."""
GONE_KEPT = 10_000
"""People remembered who are there no more: pages that ask of before the first of them are told everybody."""


@dataclass(frozen=True, slots=True)
class News:
    """What is different since a mark. ``whole``: it is everybody who is there, for the mark said nothing here.

    ``mark`` names this moment the next time; ``gone``: who is neither connected nor in danger any more.
    """

    mark: str
    whole: bool
    people: list[PersonHere]
    gone: list[UserId]


class PeopleWatch:
    """Remembers at which look each person was different last. ``everybody`` is who is there now."""

    def __init__(self, everybody: Callable[[], Iterable[PersonHere]]) -> None:
        self._everybody = everybody
        self._name = secrets.token_hex(4)
        self._here: dict[UserId, PersonHere] = {}
        self._changed: dict[UserId, int] = {}
        self._number = 0
        self._forgotten = 0
        self._looked_at = float("-inf")
        self._looking = asyncio.Lock()

    async def now(self) -> list[PersonHere]:
        """Everybody who is there at this moment."""
        async with self._looking:
            await self._look()
        return list(self._here.values())

    async def since(self, mark: str) -> News:
        """What is different since ``mark`` ("" or of another node: everybody), as of a second ago at most."""
        async with self._looking:
            if loop_time() - self._looked_at >= LOOK_EVERY_S:
                await self._look()
        known = self._known(mark)
        here, told = self._here, f"{self._name}.{self._number}"
        if known is None:
            return News(told, True, list(here.values()), [])
        changed = [user for user, number in self._changed.items() if number > known]
        return News(
            told,
            False,
            [here[user] for user in changed if user in here],
            [user for user in changed if user not in here],
        )

    def _known(self, mark: str) -> int | None:
        name, _, number = mark.partition(".")
        if name != self._name or not (number.isascii() and number.isdigit()):
            return None
        return int(number) if self._forgotten <= int(number) <= self._number else None

    async def _look(self) -> None:
        self._number += 1
        found: dict[UserId, PersonHere] = {}
        for number, person in enumerate(self._everybody(), 1):
            found[person.user] = person
            if self._here.get(person.user) != person:
                self._changed[person.user] = self._number
            if number % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
        for user in self._here.keys() - found.keys():
            self._changed[user] = self._number
        self._here, self._looked_at = found, loop_time()
        if len(self._changed) > len(found) + GONE_KEPT:
            self._changed = {user: at for user, at in self._changed.items() if user in found}
            self._forgotten = self._number
