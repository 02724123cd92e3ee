"""Talk groups on the wire: which there are, which is selected, who is there, what each slot carries."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import GroupKind, Tier
from signaling.limits import MAX_GROUPS_LISTENED, MAX_MONITORS_NAMED
from signaling.messages.base import Id, Message, Name, RequestId


class Person(Message):
    """A user as others see him."""

    id: Id
    name: Name
    badge: Name = ""


class GroupSummary(Message):
    """A group the user is a member of."""

    id: Id
    name: Name
    kind: GroupKind
    may_talk: bool
    priority: int
    members: int


class Groups(Message):
    """The groups of the user are others than he was told: he came into one or is out of it, or one is called otherwise.

    As in `Welcome`, a group of an incident is among them only where it is selected. ``selected`` None: he is out of the
    group he talked in, and talks nowhere until he selects another.
    """

    type: Literal["groups"] = "groups"
    groups: list[GroupSummary]
    selected: Id | None = None


class FloorSnapshot(Message):
    """The floor of a group at one moment. ``since_ms`` is the server's clock."""

    state: Literal["idle", "taken"]
    burst: int | None = None
    by: Person | None = None
    tier: Tier = Tier.NORMAL
    since_ms: int | None = None
    queue: int = 0


class GroupSnapshot(Message):
    """All that a page needs to draw a group it has just opened."""

    id: Id
    name: Name
    kind: GroupKind
    floor: FloorSnapshot
    yours: Literal["none", "queued", "granted", "revoked"] = "none"
    position: int | None = None
    members: int
    online: int
    listening: int


class Select(Message):
    """Affiliate with one group and talk in it; the former selection ends unless it is listened to."""

    type: Literal["select"] = "select"
    id: RequestId
    group: Id


class Selected(Message):
    """Answer to `Select`."""

    type: Literal["selected"] = "selected"
    id: RequestId
    group: GroupSnapshot


class Listen(Message):
    """The groups to hear beside the selected one, most important first; replaces the former list."""

    type: Literal["listen"] = "listen"
    id: RequestId
    groups: Annotated[list[Id], Field(max_length=MAX_GROUPS_LISTENED)]


class GroupPresence(Message):
    """How many members a group has, are connected, and would hear a burst. At most one a second per group.

    A large group is told more seldom, a thousand phones after ten seconds, unless its queue changes. ``queued``: how
    many wait for the floor. ``monitors``: dispatchers who monitor it visibly (the first few); they are not counted in
    the others.
    """

    type: Literal["group_presence"] = "group_presence"
    group: Id
    members: int
    online: int
    listening: int
    queued: int = 0
    monitors: Annotated[list[Person], Field(max_length=MAX_MONITORS_NAMED)] = Field(default_factory=list)


class Slot(Message):
    """What a slot (an ``m=audio`` line the server sends on) carries from now on; ``burst`` None: nothing."""

    type: Literal["slot"] = "slot"
    slot: int
    group: Id | None = None
    burst: int | None = None
    by: Person | None = None
    tier: Tier = Tier.NORMAL
