"""Groups that are joined (派接): a patch is a group above them that owns their one floor.

Nothing changes for phones: they press in their own group and are told of floor and slots in their own group. A phone
that hears one of the groups hears the patch in its place on the list. What dispatchers ask, and what is kept of it, is
`poc_server.dispatch.patching`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groups.floor.inputs import Withdraw
from groups.model import Group, User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, Refusal, RevokeCause, UserId
from poc_server.refused import Refused
from poc_server.talk.phone import Phone, person
from poc_server.talk.roster import Transient
from poc_server.talk.slices import Slices
from signaling.endpoint import frame
from signaling.messages import Patched, PatchedGroup

if TYPE_CHECKING:
    from poc_server.node import Node

JOINABLE = frozenset({GroupKind.CHAT, GroupKind.INCIDENT, GroupKind.TEMPORARY})
"""Kinds that may be patched: those whose floor is always there."""


@dataclass(frozen=True, slots=True)
class Patch:
    """Groups that are joined."""

    id: GroupId
    name: str
    by: User
    groups: tuple[Group, ...]
    since_ms: int

    def message(self, request: str | None = None, *, is_open: bool = True) -> Patched:
        """As it is told."""
        return Patched(
            id=request,
            patch=self.id,
            name=self.name,
            by=person(self.by),
            groups=[PatchedGroup(id=group.id, name=group.name) for group in self.groups],
            open=is_open,
            since_ms=self.since_ms,
        )


class Patches:
    """All patches of this node.

    Attributes:
        by_group: group → the patch it is joined by; the same mapping for ever, phones hold it.
        on_gone: told of a patch that ended because one of its groups is no more.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self._live: dict[GroupId, Patch] = {}
        self.by_group: dict[GroupId, GroupId] = {}
        self.on_gone: Callable[[Patch], None] = lambda _: None
        self._slices = Slices()

    def __len__(self) -> int:
        return len(self._live)

    def get(self, patch: GroupId) -> Patch | None:
        """The patch with that id."""
        return self._live.get(patch)

    def of(self, group: GroupId) -> GroupId | None:
        """The patch a group is joined by."""
        return self.by_group.get(group)

    def made_by(self, user: UserId) -> list[Patch]:
        """The patches of one dispatcher."""
        return [patch for patch in self._live.values() if patch.by.id == user]

    def spread(self, group: GroupId) -> tuple[GroupId, ...]:
        """The groups behind a patch; any other group is itself."""
        patch = self._live.get(group)
        return (group,) if patch is None else tuple(each.id for each in patch.groups)

    def with_floor_of(self, group: GroupId) -> tuple[GroupId, ...]:
        """A group, and the patch that owns its floor just now."""
        patch = self.by_group.get(group)
        return (group,) if patch is None else (group, patch)

    def hearers(self, group: GroupId) -> tuple[UserId, ...]:
        """Everybody in the groups a patch joins, who may replay what was said in it."""
        members: set[UserId] = set()
        for each in self.spread(group):
            members |= self._node.roster.members(each).keys()
        return tuple(sorted(members))

    # --- joining and parting -----------------------------------------------------------------------------------------

    def begin(self, patch: Patch) -> None:
        """Join groups; that they may be joined was judged before."""
        self._live[patch.id] = patch
        by, floor = patch.by, patch.groups[0].floor
        model = Group(patch.id, by.agency, by.unit, patch.name, GroupKind.CHAT, floor, monitoring_allowed=False)
        self._node.roster.put(Transient(model, {}))
        self._join(patch)

    def take(self, patch: Patch) -> None:
        """Another node joined these groups (`poc_server.neighbours.desk`)."""
        known = self._live.get(patch.id)
        self._live[patch.id] = patch
        if known is None:
            self._join(patch)

    def forget(self, patch: Patch) -> None:
        """Another node took it apart."""
        if self._live.pop(patch.id, None) is not None:
            self._take_apart(patch)

    def _join(self, patch: Patch) -> None:
        phones = self._phones(patch)
        before = {phone.key: set(phone.groups) for phone in phones}
        for group in patch.groups:
            talkgroup = self._node.talkgroups.get(group.id)
            if talkgroup is not None:
                # Who talks or waits there presses again, now for the one floor of all.
                talkgroup.submit(Withdraw(None, RevokeCause.OTHER))
        self.by_group.update({group.id: patch.id for group in patch.groups})
        self._slices.add(self._follow(phones, before))

    def end(self, patch: Patch) -> None:
        """Take it apart; nothing happens when it was taken apart before."""
        if self._live.pop(patch.id, None) is not None:
            self._take_apart(patch)
            self._node.roster.drop(patch.id)

    def _take_apart(self, patch: Patch) -> None:
        phones = self._phones(patch)
        before = {phone.key: {*phone.groups} for phone in phones}
        for group in patch.groups:
            self.by_group.pop(group.id, None)
        talkgroup = self._node.talkgroups.pop(patch.id, None)
        if talkgroup is not None:
            talkgroup.close_told()
            if self._node.elsewhere is not None:
                self._node.elsewhere.unfollow(patch.id)
        self._slices.add(self._part(patch, phones, before))

    def hand_over(self, patch: GroupId, to: User) -> None:
        """The patch is another dispatcher's from now on."""
        found = self._live.get(patch)
        if found is not None:
            self._live[patch] = Patch(found.id, found.name, to, found.groups, found.since_ms)
            self._node.roster.on_changed(patch)

    def joined(self, phone: Phone, group: GroupId) -> None:
        """A phone came into a group: it is told that it is joined with others."""
        patch = self._live.get(self.by_group.get(group, GroupId("")))
        if patch is not None:
            phone.send(patch.message())

    def directory_changed(self) -> None:
        """A group that is gone or out of use takes its patch with it."""
        for patch in tuple(self._live.values()):
            models = [self._node.roster.group(group.id) for group in patch.groups]
            if any(model is None or not model.enabled for model in models):
                self.end(patch)
                self.on_gone(patch)

    # --- judging -----------------------------------------------------------------------------------------------------

    def joinable(self, wanted: Iterable[GroupId]) -> list[Group]:
        """These groups, when they can be joined. Raises `Refused`: unknown_group, bad_message (too few), conflict."""
        found = []
        for each in wanted:
            group = self._node.roster.group(each)
            if group is None or not group.enabled or each in self._live:
                raise Refused(Refusal.UNKNOWN_GROUP)
            found.append(group)
        if len(found) < 2:
            raise Refused(Refusal.BAD_MESSAGE, "two groups")
        fits = all(g.kind in JOINABLE and not self._node.roster.is_transient(g.id) for g in found)
        if not fits or any(group.id in self.by_group for group in found):
            raise Refused(Refusal.CONFLICT, "groups")
        return found

    def judge(self, user: User, groups: Iterable[GroupId]) -> None:
        """Whether he may join these groups, and part them. Raises `Refused`; what is refused is audited."""
        for each in groups:
            group = self._node.roster.group(each)
            refused = Refusal.UNKNOWN_GROUP if group is None else may(Act.PATCH, user, group, self._node.roster)
            if refused is not None:
                if group is not None:
                    self._node.audit(user, Act.PATCH, "group", each, {}, refused)
                raise Refused(refused)

    # --- private -----------------------------------------------------------------------------------------------------

    def _phones(self, patch: Patch) -> list[Phone]:
        found: dict[str, Phone] = {}
        for group in patch.groups:
            talkgroup = self._node.talkgroups.get(group.id)
            found.update({} if talkgroup is None else talkgroup.phones)
        return list(found.values())

    def _follow(self, phones: Sequence[Phone], before: dict[str, set[GroupId]]) -> Iterator[None]:
        """Each phone into the patch; `joined` tells it when it comes into a group later."""
        for phone in phones:
            if phone.key in self._node.phones:
                self._node.follow(phone, before[phone.key])
                self._tell(phone)
                yield

    def _tell(self, phone: Phone) -> None:
        for patch in {self.by_group[group] for group in phone.present if group in self.by_group}:
            phone.send(self._live[patch].message())

    def _part(self, patch: Patch, phones: Sequence[Phone], before: dict[str, set[GroupId]]) -> Iterator[None]:
        framed = frame(patch.message(is_open=False))
        for phone in phones:
            if phone.key in self._node.phones:
                self._node.follow(phone, before[phone.key])
                phone.write(framed)
                yield
