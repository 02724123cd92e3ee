"""The phones of a node: by key, and by user, for who is told of something is named by user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from groups.vocabulary import UserId
from poc_server.talk.phone import Phone


class Phones(dict[str, Phone]):
    """Phones by their key. Put in and taken out by key only."""

    def __init__(self) -> None:
        super().__init__()
        self._of: dict[UserId, dict[str, Phone]] = {}

    def __setitem__(self, key: str, phone: Phone) -> None:
        super().__setitem__(key, phone)
        self._of.setdefault(phone.user.id, {})[key] = phone

    def __delitem__(self, key: str) -> None:
        user = self[key].user.id
        super().__delitem__(key)
        del self._of[user][key]
        if not self._of[user]:
            del self._of[user]

    def drop(self, key: str) -> None:
        """Take one out, if it is here."""
        if key in self:
            del self[key]

    def of(self, user: UserId) -> list[Phone]:
        """The phones of a user."""
        found = self._of.get(user)
        return list(found.values()) if found else []

    def users(self) -> Iterable[UserId]:
        """Everybody who has a phone here."""
        return self._of.keys()

    def by_session(self, session: str) -> UserId | None:
        """Whose session that is; None where no phone of any node is connected by it."""
        return next((phone.user.id for phone in self.values() if phone.session == session), None)

    def among(self, users: Iterable[UserId]) -> Iterator[Phone]:
        """The phones of these users."""
        return (phone for user in users for phone in self.of(user))

    def here(self) -> list[Phone]:
        """The phones of this node itself; those of other nodes are in it too."""
        return [phone for phone in self.values() if phone.away is None]
