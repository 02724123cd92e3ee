"""Members of groups as CSV: ``group, account, badge, name, talk, preempt, priority``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from groups.model import Membership
from groups.vocabulary import AgencyId, GroupId
from poc_server.store.change import Change, Kind
from poc_server.store.city import groups
from poc_server.store.city.groups import MAX_PRIORITY
from poc_server.store.city.in_order import in_order
from poc_server.store.directory.snapshot import EMPTY, Snapshot
from poc_server.store.sheets.known import KnownPeople
from poc_server.store.sheets.plan import BadCell, Verdict, compared, flag, verb_of, yes
from poc_server.store.sheets.text import Line


class MembersSheet:
    """Who of one agency is in its groups. A line adds a member or changes his place; nobody is taken out."""

    columns: Sequence[str] = ("group", "id", "account", "badge", "name", "talk", "preempt", "priority")
    required: Sequence[str] = ("group", "account")
    reads: frozenset[Kind] = frozenset({"membership", "group", "user"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId) -> None:
        self._snapshot = snapshot
        self._known = KnownPeople(agency)
        self._groups: dict[str, list[GroupId]] = {}
        self._mine = [group for group in snapshot.groups.values() if group.agency == agency]

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read everybody, and bring the groups into their order."""
        await self._known.load(connection)
        self._groups = {}
        for group in await in_order(self._mine):
            self._groups.setdefault(group.name, []).append(group.id)

    def judge(self, line: Line) -> Verdict:
        """Add a member, change his place, or leave it."""
        found = self._groups.get(line["group"], [])
        if len(found) != 1:
            raise BadCell("group", "ambiguous" if found else "unknown", line["group"])
        user = self._known.must_find(line)
        old = self._snapshot.members.get(found[0], EMPTY).get(user)
        place = Membership(
            found[0],
            user,
            flag(line, "talk", old.may_talk if old else True),
            flag(line, "preempt", old.may_preempt if old else False),
            _priority(line, old.priority if old else 100),
        )
        differences = compared({} if old is None else _cells(old), _cells(place))
        verb = verb_of(old is not None, differences)
        return Verdict(line.number, verb, f"{found[0]} {user}", differences, place)

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """All of them together."""
        wanted: dict[GroupId, list[Membership]] = {}
        for verdict in verdicts:
            wanted.setdefault(verdict.wish.group, []).append(verdict.wish)
        await groups.set_members_of_many(change, wanted)

    def rows(self) -> Iterator[Sequence[str]]:
        """Every membership of one's own people, by pinyin of the groups and of the people in each."""
        people = self._known.rows
        places = {user: place for place, user in enumerate(people)}
        for name, found in self._groups.items():
            for group in found:
                members = self._snapshot.members.get(group, EMPTY)
                for user in sorted(members.keys() & places.keys(), key=places.__getitem__):
                    row = people[user]
                    yield [name, user, row.account or "", row.badge, row.name, *_cells(members[user]).values()]


def _cells(place: Membership) -> dict[str, str]:
    return {"talk": yes(place.may_talk), "preempt": yes(place.may_preempt), "priority": str(place.priority)}


def _priority(line: Line, default: int) -> int:
    said = line["priority"]
    if not said:
        return default
    if not (said.isascii() and said.isdigit() and len(said) <= 3 and int(said) <= MAX_PRIORITY):
        raise BadCell("priority", "bad_value", said)
    return int(said)
