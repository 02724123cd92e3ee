"""What phones are owed when SQL is lost in the middle of a change.

A change that is cut off between its commit and the look at the directory stands in SQL, or does not: nobody knows. Who
told of it is refused and tells it again, and then it may be known already, which is no news to any phone. So what
phones knew before is kept until an incident is told again, and compared with what is so by then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from gateway.incidents.effects import BringForward
from gateway.incidents.lifecycle import IncidentState
from gateway.incidents.rules import Attention
from groups.vocabulary import AgencyId, IncidentCode
from poc_server.bridge.step import Done
from poc_server.refused import StoreUnavailable
from poc_server.store import Change, Store

Key = tuple[AgencyId, IncidentCode]


class Owed:
    """Incidents of which phones may know less than SQL does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[Key, IncidentState] = {}

    @asynccontextmanager
    async def change(self) -> AsyncIterator[tuple[Change, list[Done]]]:
        """A change of the directory, and the list for what comes of it. Raises as `Store.change`."""
        results: list[Done] = []
        try:
            async with self._store.change() as change:
                yield change, results
        except StoreUnavailable:
            for done in results:
                self._known.setdefault((done.agency, done.after.code), done.before)
            raise

    def incidents(self) -> Sequence[Key]:
        """Those that are to be told again as soon as SQL is back."""
        return tuple(self._known)

    def settle(self, done: Done) -> None:
        """Makes ``done``, of which phones are about to be told, begin with what they knew."""
        before = self._known.pop((done.agency, done.after.code), None)
        if before is not None and before != done.before:
            done.before, done.forward = before, _forward(before, done.after)


def _forward(before: IncidentState, after: IncidentState) -> list[BringForward]:
    """On whose phones an incident comes forward who last knew it as ``before``."""
    more = after.attention > before.attention
    users = after.members if more else after.members - before.members
    return [BringForward(users, after.attention)] if users and after.attention is not Attention.QUIET else []
