"""Who is brought into which group for an emergency: now, and when he connects later (late entry, a SHALL of 24.379)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from groups.model import User
from groups.rights import Right, has
from groups.vocabulary import GroupId, Tier, UserId
from poc_server.talk.phone import person
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import BroughtIn, BroughtOut

if TYPE_CHECKING:
    from poc_server.emergency.field import Field
    from poc_server.talk.phone import Phone


@dataclass(slots=True)
class Gathering:
    """People brought into ``group`` because of ``cause`` (an alert, call or broadcast).

    Attributes:
        told: keys of the phones that know; another cause, a running call say, may have had them there before.
    """

    cause: str
    why: Literal["alert", "emergency", "broadcast"]
    group: GroupId
    by: User
    tier: Tier
    users: frozenset[UserId]
    told: set[str] = field(default_factory=set)


class Gatherings:
    """All that go on here."""

    def __init__(self, field: Field) -> None:
        self._field = field
        self._of: dict[str, Gathering] = {}
        self._slices = Slices()
        field.affiliation.keeping.append(self._keeps)

    def begin(self, gathering: Gathering, first: Iterable[Phone] = ()) -> None:
        """Bring everybody's phones in: ``first`` at once, the others in slices."""
        self._of[gathering.cause] = gathering
        framed: dict[bool, bytes] = {}
        for phone in first:
            self._bring(gathering, phone, framed)
        self._slices.add(self._all(gathering, framed))

    def end(self, cause: str) -> None:
        """Let them go; who is in the group for another cause stays."""
        gathering = self._of.pop(cause, None)
        if gathering is not None:
            self._slices.add(self._let_go(gathering))

    def rest(self) -> None:
        """Another node is the desk: it goes on with them."""
        self._of.clear()

    def retier(self, cause: str, tier: Tier) -> None:
        """Who comes from now on is told this tier."""
        gathering = self._of.get(cause)
        if gathering is not None:
            gathering.tier = tier

    def came(self, phone: Phone) -> None:
        """A phone connected."""
        for gathering in self._of.values():
            if phone.user.id in gathering.users:
                self._bring(gathering, phone, None)

    def _all(self, gathering: Gathering, framed: dict[bool, bytes]) -> Iterator[None]:
        for phone in tuple(self._field.phones.values()):
            if gathering.cause not in self._of:
                return
            if phone.user.id in gathering.users and phone.key not in gathering.told:
                self._bring(gathering, phone, framed)
                yield

    def _bring(self, gathering: Gathering, phone: Phone, framed: dict[bool, bytes] | None) -> None:
        """``framed``: the message once for all who may talk and once for all who may not."""
        if not has(phone.user, Right.LISTEN):
            return  # an administrator hears nothing, whatever group he was put into
        gathering.told.add(phone.key)
        self._field.affiliation.bring(phone, gathering.group)
        may_talk = self._field.talkgroups.open(gathering.group).may_talk(phone)
        if framed is None:
            phone.send(self._message(gathering, phone, may_talk))
            return
        if may_talk not in framed:
            framed[may_talk] = frame(self._message(gathering, phone, may_talk))
        phone.write(framed[may_talk])

    def _keeps(self, phone: Phone, group: GroupId) -> bool:
        return any(each.group == group and phone.user.id in each.users for each in self._of.values())

    def _message(self, gathering: Gathering, phone: Phone, may_talk: bool) -> BroughtIn:
        return BroughtIn(
            call=gathering.cause,
            why=gathering.why,
            group=self._field.overview.snapshot(phone, gathering.group),
            by=person(gathering.by),
            tier=gathering.tier,
            may_talk=may_talk,
        )

    def _let_go(self, gathering: Gathering) -> Iterator[None]:
        framed = frame(BroughtOut(call=gathering.cause, group=gathering.group))
        for phone in tuple(self._field.phones.values()):
            if phone.user.id not in gathering.users:
                continue
            phone.write(framed)
            if gathering.group in phone.brought:
                self._field.affiliation.let_go(phone, gathering.group)
            left = gathering.group not in phone.brought  # a call that goes on keeps him there
            if left and self._field.roster.is_transient(gathering.group) and gathering.group in phone.groups:
                chosen = [group for group in phone.listens if group != gathering.group]
                self._field.affiliation.affiliate(
                    phone, None if phone.selected == gathering.group else phone.selected, chosen
                )
            yield
