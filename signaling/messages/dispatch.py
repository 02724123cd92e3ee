"""What dispatchers do: monitor, patch, ban, hand the shift over. Each act is behind a right and in the audit."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import HandoverState, MonitorScope, Refusal
from signaling.limits import MAX_GROUPS_LISTENED, MAX_HANDED_OVER, MAX_MONITORED, MAX_PATCHED
from signaling.messages.base import Id, Message, Name, RequestId
from signaling.messages.emergency import AlertInfo, Text
from signaling.messages.group import GroupSnapshot, Person

Listed = Annotated[list[Id], Field(max_length=MAX_MONITORED)]


class Monitor(Message):
    """What one listens to without being there (监听): answered by `Monitoring`.

    ``scope``: ``none`` ends it, ``own`` the groups one is a member of, ``listed`` those in ``groups``, ``all`` every
    group one's right reaches. Replaces what was monitored before. A monitor is no participant: he keeps no call alive,
    is not counted as listening, and hears a group after all that he selected or listens to. Unless ``hidden`` (a right
    of its own) the group is told.
    """

    type: Literal["monitor"] = "monitor"
    id: RequestId
    scope: MonitorScope
    groups: Listed = Field(default_factory=list)
    hidden: bool = False


class Monitoring(Message):
    """What is monitored from now on; comes by itself when a group began or ceased to be in the scope.

    ``left_out``: groups that belong to it, too, and are not monitored, for they are more than the limit; the first by
    name are. ``code`` says so (``too_many``). They follow as there is room again.
    """

    type: Literal["monitoring"] = "monitoring"
    id: RequestId | None = None
    scope: MonitorScope
    hidden: bool
    groups: Annotated[list[GroupSnapshot], Field(max_length=MAX_MONITORED)]
    left_out: int = 0
    code: Refusal | None = None


class PatchStart(Message):
    """Join groups (派接): who talks in one is heard in all, with one floor. Answered by `Patched`."""

    type: Literal["patch_start"] = "patch_start"
    id: RequestId
    groups: Annotated[list[Id], Field(min_length=2, max_length=MAX_PATCHED)]
    name: Name = ""


class PatchEnd(Message):
    """Take a patch apart. Answered by `Ok`."""

    type: Literal["patch_end"] = "patch_end"
    id: RequestId
    patch: Id


class PatchedGroup(Message):
    """One of the groups that are joined."""

    id: Id
    name: Name


class Patched(Message):
    """Groups are joined, or (``open`` False) no longer; to all phones in them and after `Selected` of one of them.

    Nothing else changes for a phone: it presses in its own group and is told of floor and slots in its own group.
    """

    type: Literal["patched"] = "patched"
    id: RequestId | None = None
    patch: Id
    name: Name
    by: Person
    groups: list[PatchedGroup]
    open: bool
    since_ms: int


class TalkBan(Message):
    """禁呼: this user may not talk, or (``banned`` False) may again. Whoever is in danger talks all the same."""

    type: Literal["talk_ban"] = "talk_ban"
    id: RequestId
    user: Id
    banned: bool
    reason: Name = ""


class TalkBanned(Message):
    """To the one it concerns: he may not talk, or may again."""

    type: Literal["talk_banned"] = "talk_banned"
    banned: bool
    by: Person | None = None
    reason: Name = ""


# --- shift handover (交接班) ------------------------------------------------------------------------------------------


class HandoverOffer(Message):
    """Hand the shift over to ``to``: what this dispatcher has open goes with it. Answered by `Handover`.

    That is: the open alerts he claimed, the groups he monitors and listens to, the patches he made.
    """

    type: Literal["handover_offer"] = "handover_offer"
    id: RequestId
    to: Id
    note: Text = ""


class HandoverAnswer(Message):
    """The next dispatcher takes it over or does not. Answered by `Handover`; by ``not_found`` when it was decided."""

    type: Literal["handover_answer"] = "handover_answer"
    id: RequestId
    handover: Id
    accept: bool


class HandoverWithdraw(Message):
    """Who offered it takes it back."""

    type: Literal["handover_withdraw"] = "handover_withdraw"
    id: RequestId
    handover: Id


class HandoverInfo(Message):
    """A handover as it stands."""

    id: Id
    by: Person
    to: Person
    state: HandoverState
    note: str
    alerts: Annotated[list[AlertInfo], Field(max_length=MAX_HANDED_OVER)]
    scope: MonitorScope
    hidden: bool = False
    monitored: Annotated[list[PatchedGroup], Field(max_length=MAX_MONITORED)]
    listens: Annotated[list[PatchedGroup], Field(max_length=MAX_GROUPS_LISTENED + 1)]
    patches: list[Patched]
    offered_ms: int
    decided_ms: int | None = None


class Handover(Message):
    """To both dispatchers, at each change, and to the next one when he connects while it is open.

    When it was accepted, the phone that answered monitors and listens already; ``listens`` says to what.
    """

    type: Literal["handover"] = "handover"
    id: RequestId | None = None
    handover: HandoverInfo
