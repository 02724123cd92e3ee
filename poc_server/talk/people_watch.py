"""Who is there, for pages that ask every few seconds: told whole once, and then who is different.

A city has thousands, and each of its consoles asks. What all of them want is looked up once a second for them together,
and what a console then costs goes by how many came, went or changed, not by how many are there.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from groups.vocabulary import UserId
from poc_server.ground.marks import Marks
from poc_server.talk.clock import loop_time
from poc_server.talk.people import PersonHere

LOOK_EVERY_S = 1.0
LOOKED_AT_ONCE = 200
"""People, before voice gets its turn again."""


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
        self._here: dict[UserId, PersonHere] = {}
        self._marks: Marks[UserId] = Marks()
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
        here, marks = self._here, self._marks
        changed = marks.since(mark)
        if changed is None:
            return News(marks.mark, True, list(here.values()), [])
        there, gone = [here[user] for user in changed if user in here], [user for user in changed if user not in here]
        return News(marks.mark, False, there, gone)

    async def _look(self) -> None:
        found: dict[UserId, PersonHere] = {}
        self._marks.step()
        for number, person in enumerate(self._everybody(), 1):
            found[person.user] = person
            if self._here.get(person.user) != person:
                self._marks.note(person.user)
            if number % LOOKED_AT_ONCE == 0:
                await asyncio.sleep(0)
        for user in self._here.keys() - found.keys():
            self._marks.note(user)
        self._here, self._looked_at = found, loop_time()
        self._marks.forget_gone(found, len(found))
