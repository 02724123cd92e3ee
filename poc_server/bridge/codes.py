"""Which incident a group is the address of, from memory: a burst asks it at its begin, and nothing there may wait."""

from __future__ import annotations

from groups.vocabulary import GroupId, GroupKind, IncidentCode
from poc_server.store import DirectoryChange, Store
from poc_server.store.bridge import incidents


class Codes:
    """Group → code of every address that is in the directory, also of those that other nodes made."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: dict[GroupId, IncidentCode] = {}
        self._unknown: set[GroupId] = set()

    def of(self, group: GroupId) -> IncidentCode | None:
        """The incident whose address a group is; None for any other group."""
        return self._known.get(group)

    def know(self, group: GroupId, code: IncidentCode) -> None:
        """This node, or another, said so."""
        self._known[group] = code

    def forget(self, group: GroupId) -> None:
        """It is an address no more."""
        self._known.pop(group, None)

    async def load(self) -> None:
        """Reads all of them. Raises `StoreUnavailable`."""
        async with self._store.reading() as connection:
            self._known = await incidents.codes(connection)

    def directory_changed(self, change: DirectoryChange) -> None:
        """Groups came or went."""
        for key in change.after.groups if change.everything else change.groups:
            group = change.after.groups.get(key)
            if group is None:
                self.forget(key)
            elif group.kind is GroupKind.INCIDENT and key not in self._known:
                self._unknown.add(key)

    async def learn(self) -> None:
        """Reads those that came to the directory by another node. Raises `StoreUnavailable`."""
        new = self._unknown - self._known.keys()
        if new:
            async with self._store.reading() as connection:
                self._known |= await incidents.codes(connection, new)
        self._unknown -= new | self._known.keys()
