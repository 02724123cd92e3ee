"""People as CSV: ``id, account, badge, name, kind, unit, phone, enabled``.

Who is meant: the id, else the account, else the badge. A column that is not in the file leaves what is there; an empty
cell clears badge, account and phone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from groups.model import User
from groups.vocabulary import AgencyId, UnitId, UserId, UserKind
from poc_server.store.change import Change, Kind
from poc_server.store.city import people
from poc_server.store.city.people import UserDraft, account_key
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.sheets.known import KnownPeople
from poc_server.store.sheets.paths import UnitPaths
from poc_server.store.sheets.plan import BadCell, Verdict, compared, flag, verb_of, yes
from poc_server.store.sheets.text import MAX_NAME_CHARS, Line


@dataclass(frozen=True, slots=True)
class _Wish:
    user: UserId | None
    draft: UserDraft


class PeopleSheet:
    """``may_change``: whether the one who imports may change that person."""

    columns: Sequence[str] = ("id", "account", "badge", "name", "kind", "unit", "phone", "enabled")
    required: Sequence[str] = ()
    reads: frozenset[Kind] = frozenset({"user", "unit"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId, may_change: Callable[[User], bool]) -> None:
        self._snapshot = snapshot
        self._agency = agency
        self._may_change = may_change
        self._units = UnitPaths(snapshot, agency)
        self._known = KnownPeople(agency)
        self._wanted_accounts: set[str] = set()

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read everybody."""
        await self._known.load(connection)

    def judge(self, line: Line) -> Verdict:
        """Create, update or leave a person."""
        user = self._known.find(line)
        before = {} if user is None else self._cells(user)
        draft = self._draft(line, user)
        self._claim_account(draft.account, user)
        after = self._shown(draft)
        differences = compared(before, after)
        if user is not None and differences and not self._may_change(self._snapshot.users[user]):
            raise BadCell("account", "not_allowed", draft.name)
        verb = verb_of(user is not None, differences)
        key = user or draft.account or draft.badge
        return Verdict(line.number, verb, key, differences, _Wish(user, draft))

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """Roles stay: they have a sheet and a right of their own."""
        wishes: list[_Wish] = [verdict.wish for verdict in verdicts]
        await people.create_users(change, [wish.draft for wish in wishes if wish.user is None])
        await people.update_users(change, [(wish.user, wish.draft) for wish in wishes if wish.user is not None])

    def rows(self) -> Iterator[Sequence[str]]:
        """Everybody, by pinyin."""
        for user in self._known.rows:
            cells = self._cells(user)
            yield [user, *(cells[column] for column in self.columns[1:])]

    def _draft(self, line: Line, user: UserId | None) -> UserDraft:
        old = None if user is None else self._snapshot.users.get(user)
        there = {} if user is None else self._cells(user)
        said = {column: line.said(column, there.get(column, "")) for column in ("name", "badge", "account", "phone")}
        for column, text in said.items():
            if len(text) > MAX_NAME_CHARS or not text.isprintable():
                raise BadCell(column, "bad_value", text)
        if not said["name"]:
            raise BadCell("name", "missing")
        try:
            kind = UserKind(line["kind"] or (old.kind if old else UserKind.PERSON))
        except ValueError:
            raise BadCell("kind", "bad_value", line["kind"]) from None
        return UserDraft(
            agency=self._agency,
            unit=self._unit(line, user),
            name=said["name"],
            kind=kind,
            badge=said["badge"],
            account=account_key(said["account"]) or None,
            phone=said["phone"],
            enabled=flag(line, "enabled", old.enabled if old else True),
        )

    def _unit(self, line: Line, user: UserId | None) -> UnitId:
        if user is not None and "unit" not in line.cells:
            return UnitId(self._known.rows[user].unit_id)
        return self._units.find("unit", line["unit"])

    def _claim_account(self, account: str | None, user: UserId | None) -> None:
        if account is None:
            return
        holder = self._known.accounts.get(account)
        if (holder is not None and holder != user) or account in self._wanted_accounts:
            raise BadCell("account", "taken", account)
        self._wanted_accounts.add(account)

    def _cells(self, user: UserId) -> dict[str, str]:
        row = self._known.rows[user]
        return {
            "account": row.account or "",
            "badge": row.badge,
            "name": row.name,
            "kind": row.kind,
            "unit": self._units.path(row.unit_id),
            "phone": row.phone,
            "enabled": yes(row.enabled),
        }

    def _shown(self, draft: UserDraft) -> dict[str, str]:
        return {
            "account": draft.account or "",
            "badge": draft.badge,
            "name": draft.name,
            "kind": draft.kind.value,
            "unit": self._units.path(draft.unit),
            "phone": draft.phone,
            "enabled": yes(draft.enabled),
        }
