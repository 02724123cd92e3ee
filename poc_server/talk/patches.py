"""Groups that are joined (派接): a patch is a group above them that owns their one floor.

Nothing changes for phones: they press in their own group and are told of floor and slots in their own group. A phone
that hears one of the groups hears the patch in its place on the list. What dispatchers ask, and what is kept of it, is
`poc_server.dispatch.patching`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from groups.floor.inputs import Withdraw
from groups.model import Group, User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, Refusal, RevokeCause
from poc_server.ground.refused import Refused
from poc_server.talk.patch import Patch
from poc_server.talk.phone import Phone
from poc_server.talk.roster import Transient
from poc_server.talk.slices import Slices
from signaling.connection import frame

if TYPE_CHECKING:
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.audit import Audit
    from poc_server.talk.patch import Joined
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroup import Talkgroup
    from poc_server.talk.talkgroups import Talkgroups

JOINABLE = frozenset({GroupKind.CHAT, GroupKind.INCIDENT, GroupKind.TEMPORARY})
"""Kinds that may be patched: those whose floor is always there."""


class Patches:
    """Joins and parts groups of this node; which are joined just now, is in `poc_server.talk.patch`.

    Attributes:
        on_gone: told of a patch that ended because one of its groups is no more.
    """

    def __init__(
        self,
        roster: Roster,
        phones: Phones,
        talkgroups: Talkgroups,
        joined: Joined,
        affiliation: Affiliation,
        audit: Audit,
    ) -> None:
        self._roster = roster
        self._phones = phones
        self._talkgroups = talkgroups
        self._joined = joined
        self._affiliation = affiliation
        self._audit = audit
        self.on_gone: Callable[[Patch], None] = lambda _: None
        self._slices = Slices()
        affiliation.on_joined.append(self._tell_joined)

    # --- joining and parting -----------------------------------------------------------------------------------------

    def begin(self, patch: Patch) -> None:
        """Join groups; that they may be joined was judged before."""
        self._joined.live[patch.id] = patch
        by, floor = patch.by, patch.groups[0].floor
        model = Group(patch.id, by.agency, by.unit, patch.name, GroupKind.CHAT, floor, monitoring_allowed=False)
        self._roster.put(Transient(model, {}))
        self._join(patch)

    def take(self, patch: Patch) -> None:
        """Another node joined these groups (`poc_server.neighbours.desk.desk`)."""
        known = self._joined.live.get(patch.id)
        self._joined.live[patch.id] = patch
        if known is None:
            self._join(patch)

    def forget(self, patch: Patch) -> None:
        """Another node took it apart."""
        if self._joined.live.pop(patch.id, None) is not None:
            self._take_apart(patch)

    def _join(self, patch: Patch) -> None:
        phones = self._phones_in(patch)
        before = {phone.key: set(phone.groups) for phone in phones}
        for group in patch.groups:
            talkgroup = self._talkgroups.get(group.id)
            if talkgroup is not None:
                # Who talks or waits there presses again, now for the one floor of all.
                talkgroup.submit(Withdraw(None, RevokeCause.OTHER))
        self._joined.by_group.update({group.id: patch.id for group in patch.groups})
        self._slices.add(self._follow(phones, before))

    def end(self, patch: Patch) -> None:
        """Take it apart; nothing happens when it was taken apart before."""
        if self._joined.live.pop(patch.id, None) is not None:
            self._take_apart(patch)
            self._roster.drop(patch.id)

    def _take_apart(self, patch: Patch) -> None:
        phones = self._phones_in(patch)
        before = {phone.key: {*phone.groups} for phone in phones}
        for group in patch.groups:
            self._joined.by_group.pop(group.id, None)
        self._talkgroups.close_told(patch.id)
        self._slices.add(self._part(patch, phones, before))

    def hand_over(self, patch: GroupId, to: User) -> None:
        """The patch is another dispatcher's from now on."""
        found = self._joined.live.get(patch)
        if found is not None:
            self._joined.live[patch] = Patch(found.id, found.name, to, found.groups, found.since_ms)
            self._roster.on_changed(patch)

    def _tell_joined(self, phone: Phone, talkgroup: Talkgroup) -> None:
        """A phone came into a group: it is told that it is joined with others."""
        patch = self._joined.live.get(self._joined.by_group.get(talkgroup.id, GroupId("")))
        if patch is not None:
            phone.send(patch.message())

    def directory_changed(self) -> None:
        """A group that is gone or out of use takes its patch with it."""
        for patch in tuple(self._joined.live.values()):
            models = [self._roster.group(group.id) for group in patch.groups]
            if any(model is None or not model.enabled for model in models):
                self.end(patch)
                self.on_gone(patch)

    # --- judging -----------------------------------------------------------------------------------------------------

    def joinable(self, wanted: Iterable[GroupId]) -> list[Group]:
        """These groups, when they can be joined. Raises `Refused`: unknown_group, bad_message (too few), conflict."""
        found = []
        for each in wanted:
            group = self._roster.group(each)
            if group is None or not group.enabled or each in self._joined.live:
                raise Refused(Refusal.UNKNOWN_GROUP)
            found.append(group)
        if len(found) < 2:
            raise Refused(Refusal.BAD_MESSAGE, "two groups")
        fits = all(g.kind in JOINABLE and not self._roster.is_transient(g.id) for g in found)
        if not fits or any(group.id in self._joined.by_group for group in found):
            raise Refused(Refusal.CONFLICT, "groups")
        return found

    def judge(self, user: User, groups: Iterable[GroupId]) -> None:
        """Whether he may join these groups, and part them. Raises `Refused`; what is refused is audited."""
        for each in groups:
            group = self._roster.group(each)
            refused = Refusal.UNKNOWN_GROUP if group is None else may(Act.PATCH, user, group, self._roster)
            if refused is not None:
                if group is not None:
                    self._audit(user, Act.PATCH, "group", each, {}, refused)
                raise Refused(refused)

    # --- private -----------------------------------------------------------------------------------------------------

    def _phones_in(self, patch: Patch) -> list[Phone]:
        found: dict[str, Phone] = {}
        for group in patch.groups:
            talkgroup = self._talkgroups.get(group.id)
            found.update({} if talkgroup is None else talkgroup.phones)
        return list(found.values())

    def _follow(self, phones: Sequence[Phone], before: dict[str, set[GroupId]]) -> Iterator[None]:
        """Each phone into the patch; `_tell_joined` tells it when it comes into a group later."""
        for phone in phones:
            if phone.key in self._phones:
                self._affiliation.follow(phone, before[phone.key])
                self._tell(phone)
                yield

    def _tell(self, phone: Phone) -> None:
        for patch in {self._joined.by_group[group] for group in phone.present if group in self._joined.by_group}:
            phone.send(self._joined.live[patch].message())

    def _part(self, patch: Patch, phones: Sequence[Phone], before: dict[str, set[GroupId]]) -> Iterator[None]:
        framed = frame(patch.message(is_open=False))
        for phone in phones:
            if phone.key in self._phones:
                self._affiliation.follow(phone, before[phone.key])
                phone.write(framed)
                yield
