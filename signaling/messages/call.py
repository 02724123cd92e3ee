"""Calls that begin and end (TS 24.379): private, first to answer, temporary. A call's group is talked in as any."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import Tier
from signaling.limits import MAX_CALLED
from signaling.messages.base import Id, Message, Name, RequestId
from signaling.messages.group import Person

Called = Annotated[list[Id], Field(min_length=1, max_length=MAX_CALLED)]
Kind = Literal["private", "first_to_answer", "group", "broadcast"]
Part = Literal["called", "ringing", "joined", "refused", "busy", "no_answer", "unreachable", "left", "not_needed"]
End = Literal[
    "hung_up",
    "cancelled",
    "refused",
    "busy",
    "no_answer",
    "unreachable",
    "inactivity",
    "maximum_length",
    "too_few",
    "broadcast_over",
    "forced",
]


class CallStart(Message):
    """Call one person (``private``), whoever of several answers first, or several as a temporary group (临时组).

    Answered by `Call`, which repeats ``id``. With ``answering`` automatic those called are in at once.
    """

    type: Literal["call_start"] = "call_start"
    id: RequestId
    kind: Literal["private", "first_to_answer", "group"] = "private"
    users: Called
    name: Name = ""
    answering: Literal["automatic", "manual"] = "automatic"


class CallAccept(Message):
    """Answer a call that rings. Answered by `Ok`; the second device of one user gets ``answered_elsewhere``."""

    type: Literal["call_accept"] = "call_accept"
    id: RequestId
    call: Id


class CallRefuse(Message):
    """Refuse a call that rings."""

    type: Literal["call_refuse"] = "call_refuse"
    id: RequestId
    call: Id


class CallLeave(Message):
    """Hang up: leave the call. A private call ends with it."""

    type: Literal["call_leave"] = "call_leave"
    id: RequestId
    call: Id


class CallEnd(Message):
    """End the call for all: its initiator, or a dispatcher (强拆)."""

    type: Literal["call_end"] = "call_end"
    id: RequestId
    call: Id


class CallAdd(Message):
    """Bring more people into a running group call (强拉)."""

    type: Literal["call_add"] = "call_add"
    id: RequestId
    call: Id
    users: Called


class CallParty(Message):
    """One of those in a call, and what he has done."""

    person: Person
    part: Part


class Call(Message):
    """How a call stands; to everybody in it, at each change. Its ``group`` may be talked in while ``running``."""

    type: Literal["call"] = "call"
    id: RequestId | None = None
    call: Id
    group: Id
    kind: Kind
    name: Name
    by: Person
    tier: Tier = Tier.NORMAL
    phase: Literal["setting up", "running"]
    parties: list[CallParty]


class CallRinging(Message):
    """You are called: `CallAccept` or `CallRefuse` within ``ring_ms``."""

    type: Literal["call_ringing"] = "call_ringing"
    call: Id
    kind: Kind
    name: Name
    by: Person
    tier: Tier = Tier.NORMAL
    ring_ms: int


class CallStopped(Message):
    """It need not ring any more: answered on another device, by another, or given up."""

    type: Literal["call_stopped"] = "call_stopped"
    call: Id
    part: Part


class CallEnded(Message):
    """The call is over, or you are no longer in it (``end`` left out)."""

    type: Literal["call_ended"] = "call_ended"
    call: Id
    group: Id
    end: End | None = None
