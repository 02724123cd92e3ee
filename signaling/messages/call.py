"""Calls that begin and end (TS 24.379): private, first to answer, temporary. A call's group is talked in as any."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import Tier
from signaling.limits import MAX_CALL_HOURS, MAX_CALLED, MAX_CALLS_LISTED
from signaling.messages.base import Id, Message, Name, RequestId
from signaling.messages.emergency import Area
from signaling.messages.group import Person

Called = Annotated[list[Id], Field(max_length=MAX_CALLED)]
Kind = Literal["private", "first_to_answer", "group", "prearranged", "broadcast", "ambient"]
Part = Literal[
    "called",
    "ringing",
    "joined",
    "refused",
    "busy",
    "no_answer",
    "unreachable",
    "not_listening",
    "left",
    "not_needed",
]
End = Literal[
    "hung_up",
    "cancelled",
    "refused",
    "busy",
    "no_answer",
    "unreachable",
    "not_listening",
    "inactivity",
    "maximum_length",
    "too_few",
    "broadcast_over",
    "forced",
]


class CallStart(Message):
    """Call one person, whoever of several answers first, several as a temporary group, or a standing group.

    Answered by `Call`, which repeats ``id``. With ``answering`` automatic those called are in at once.

    - ``private``: one of ``users``; ``duplex``: both talk at once, without a floor; who is banned from talking hears.
    - ``first_to_answer``: all of ``users`` ring, whatever ``answering`` says; the first to answer has the call.
    - ``group``: a temporary group (临时组) of ``users``, the members of ``groups`` merged, and who is in ``area``; it
      ends by itself when nobody talks for long, or after ``lasts_s``.
    - ``prearranged``, ``broadcast``: the one standing group in ``groups``; its members who are there are brought in,
      and whoever comes later. Pressing the key in such a group begins its call too.
    - ``ambient``: remote listening (远程激活) to one of ``users``; exists only where the operator switched it on.
    """

    type: Literal["call_start"] = "call_start"
    id: RequestId
    kind: Kind = "private"
    users: Called = Field(default_factory=list)
    groups: Called = Field(default_factory=list)
    area: Area | None = None
    name: Name = ""
    answering: Literal["automatic", "manual"] = "automatic"
    duplex: bool = False
    lasts_s: Annotated[int, Field(ge=60, le=MAX_CALL_HOURS * 3600)] | None = None


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


class CallList(Message):
    """Which calls go on, of those one may end for all (强拆), in them or not. Answered by `Calls`."""

    type: Literal["call_list"] = "call_list"
    id: RequestId


class CallParty(Message):
    """One of those in a call, and what he has done."""

    person: Person
    part: Part


class Call(Message):
    """How a call stands; to everybody in it, at each change. Its ``group`` may be talked in while ``running``.

    ``duplex``: there is no floor; while it runs, send voice whenever you like, the other hears you. ``ends_ms``: at the
    latest (the server's clock), unless an emergency is in progress. Of a great call only the initiator and the first
    ``parties`` are named; ``people`` and ``present`` count all.
    """

    type: Literal["call"] = "call"
    id: RequestId | None = None
    call: Id
    group: Id
    kind: Kind
    name: Name
    by: Person
    tier: Tier = Tier.NORMAL
    phase: Literal["setting up", "running"]
    duplex: bool = False
    parties: list[CallParty]
    people: int = 0
    present: int = 0
    ends_ms: int | None = None


class Calls(Message):
    """Answer to `CallList`, the newest first, each with the first of its ``parties``; ``more``: there are older ones.

    Remote listening is not among them.
    """

    type: Literal["calls"] = "calls"
    id: RequestId
    calls: Annotated[list[Call], Field(max_length=MAX_CALLS_LISTED)]
    more: bool = False


class CallRinging(Message):
    """You are called: `CallAccept` or `CallRefuse` within ``ring_ms``."""

    type: Literal["call_ringing"] = "call_ringing"
    call: Id
    kind: Kind
    name: Name
    by: Person
    tier: Tier = Tier.NORMAL
    duplex: bool = False
    ring_ms: int


class CallStopped(Message):
    """It need not ring any more: answered on another device, by another, or given up."""

    type: Literal["call_stopped"] = "call_stopped"
    call: Id
    part: Part


class CallEnded(Message):
    """The call is over, or you are no longer in it (``end`` left out). ``message`` says why in your language."""

    type: Literal["call_ended"] = "call_ended"
    call: Id
    group: Id
    end: End | None = None
    message: str = ""


class AmbientOn(Message):
    """To a phone that is listened to (远程激活): send voice until `AmbientOff`. Only where the operator wants it."""

    type: Literal["ambient_on"] = "ambient_on"
    call: Id


class AmbientOff(Message):
    """Nobody listens to this phone any more: stop sending."""

    type: Literal["ambient_off"] = "ambient_off"
    call: Id
