"""Roles as CSV: ``account, badge, name, roles``; roles are words with spaces between, and replace those held."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from groups.model import User
from groups.rights import may_hold_together
from groups.vocabulary import AgencyId, Role, UserId
from poc_server.store.change import Change, Kind
from poc_server.store.city import people
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.sheets.known import KnownPeople
from poc_server.store.sheets.plan import BadCell, Verdict, compared
from poc_server.store.sheets.text import Line


class RolesSheet:
    """``may_change``: whether the one who imports may give roles to that person."""

    columns: Sequence[str] = ("id", "account", "badge", "name", "roles")
    required: Sequence[str] = ("account", "roles")
    reads: frozenset[Kind] = frozenset({"user"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId, may_change: Callable[[User], bool]) -> None:
        self._snapshot = snapshot
        self._may_change = may_change
        self._known = KnownPeople(agency)

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read everybody."""
        await self._known.load(connection)

    def judge(self, line: Line) -> Verdict:
        """Change a person's roles, or leave them."""
        user = self._known.must_find(line)
        person = self._snapshot.users.get(user)
        if person is None:
            raise BadCell("account", "unknown", line["account"])
        try:
            roles = frozenset(Role(word) for word in line["roles"].split())
        except ValueError:
            raise BadCell("roles", "bad_value", line["roles"]) from None
        if not may_hold_together(roles):
            raise BadCell("roles", "not_allowed", line["roles"])
        differences = compared({"roles": _words(person.roles)}, {"roles": _words(roles)})
        if differences and not self._may_change(person):
            raise BadCell("account", "not_allowed", person.name)
        return Verdict(line.number, "update" if differences else "unchanged", user, differences, (user, roles))

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """All of them."""
        await people.set_roles_of_many(change, dict(verdict.wish for verdict in verdicts))

    def rows(self) -> Iterator[Sequence[str]]:
        """Everybody, by pinyin."""
        for user, row in self._known.rows.items():
            person = self._snapshot.users.get(UserId(user))
            yield [user, row.account or "", row.badge, row.name, _words(person.roles if person else frozenset())]


def _words(roles: frozenset[Role]) -> str:
    return " ".join(sorted(roles))
