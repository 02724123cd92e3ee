"""Which groups are joined by which patch (派接); how they are joined and parted is in `poc_server.talk.patches`."""

from __future__ import annotations

from dataclasses import dataclass

from groups.model import Group, User
from groups.vocabulary import GroupId, UserId
from poc_server.talk.phone import person
from signaling.messages import Patched, PatchedGroup


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


class Joined:
    """The patches there are.

    Attributes:
        live: each by its id; written by `poc_server.talk.patches` alone.
        by_group: group → the patch it is joined by; the same mapping for ever, phones hold it.
    """

    def __init__(self) -> None:
        self.live: dict[GroupId, Patch] = {}
        self.by_group: dict[GroupId, GroupId] = {}

    def get(self, patch: GroupId) -> Patch | None:
        """The patch with that id."""
        return self.live.get(patch)

    def of(self, group: GroupId) -> GroupId | None:
        """The patch a group is joined by."""
        return self.by_group.get(group)

    def made_by(self, user: UserId) -> list[Patch]:
        """The patches of one dispatcher."""
        return [patch for patch in self.live.values() if patch.by.id == user]

    def spread(self, group: GroupId) -> tuple[GroupId, ...]:
        """The groups behind a patch; any other group is itself."""
        patch = self.live.get(group)
        return (group,) if patch is None else tuple(each.id for each in patch.groups)

    def with_floor_of(self, group: GroupId) -> tuple[GroupId, ...]:
        """A group, and the patch that owns its floor just now."""
        patch = self.by_group.get(group)
        return (group,) if patch is None else (group, patch)
