"""Broadcasts on the wire: a leader's voice, recorded message or text, a receipt per person, saved plans.

A broadcast has an id made by the client: the same message may be sent again and does nothing twice.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import BroadcastKind, ReceiptState, Tier
from signaling.limits import MAX_BROADCAST_HOURS
from signaling.messages.base import Id, Message, RequestId
from signaling.messages.emergency import Recipients, Text
from signaling.messages.group import GroupSnapshot, Person


class BroadcastStart(Message):
    """A leader's broadcast: only he talks. Kept until ``expires_s``; who is offline gets it on return.

    ``live``: press `FloorRequest` on the group of the answer; the release ends it. ``recorded``: ``message`` is
    the id of an uploaded one. ``text`` and ``roll_call`` carry ``text``.
    """

    type: Literal["broadcast_start"] = "broadcast_start"
    id: RequestId
    broadcast: Id
    to: Recipients
    kind: BroadcastKind = BroadcastKind.LIVE
    tier: Tier = Tier.NORMAL
    text: Text = ""
    message: Id | None = None
    acknowledge: bool = False
    expires_s: Annotated[int, Field(ge=1, le=MAX_BROADCAST_HOURS * 3_600)] = 86_400
    exercise: bool = False


class BroadcastStarted(Message):
    """Answer to `BroadcastStart`. ``group`` is there for ``live`` only; ``kept`` as in `EmergencyCallStarted`."""

    type: Literal["broadcast_started"] = "broadcast_started"
    id: RequestId
    broadcast: Id
    group: GroupSnapshot | None = None
    people: int
    online: int
    kept: bool = True


class BroadcastInfo(Message):
    """A broadcast as those it reaches see it.

    ``burst`` is what was said last, ``samples`` (at 48 kHz) how much it was, when it is over; of a recorded message
    how long it is. Both are heard, from the start, from ``GET /api/v1/broadcasts/{id}/audio``, while one speaks too.
    """

    id: Id
    by: Person
    kind: BroadcastKind
    tier: Tier = Tier.NORMAL
    text: Text = ""
    group: Id | None = None
    burst: int | None = None
    samples: int | None = None
    at_ms: int
    expires_ms: int
    acknowledge: bool = False
    exercise: bool = False
    state: Literal["running", "over", "withdrawn", "expired"] = "running"


class Broadcast(Message):
    """A broadcast for you. Answer with `Receipt` ``delivered``; it comes again after each `Welcome` until it has one.

    ``receipt`` is how far it came with you already. ``reminder``: it is told for the n-th time, because this person has
    not taken it, or not acknowledged what wants it; the page sounds again. 0: nothing that need disturb anybody.
    """

    type: Literal["broadcast"] = "broadcast"
    broadcast: BroadcastInfo
    receipt: ReceiptState = ReceiptState.SENT
    reminder: int = 0


class Receipt(Message):
    """How far a broadcast came with this person. Answered by `Ok` when it is kept; say it again until then.

    ``heard``: of the samples of the burst that should have been played, those that were, without the concealed ones;
    only when the audio context runs, is not muted and the page is not frozen. The server takes it from 80 % on and
    unless its own counts contradict (``not_heard``). ``again``: it was heard from its recording. ``text`` and
    ``roll_call`` are not heard but ``acknowledged``.
    """

    type: Literal["receipt"] = "receipt"
    id: RequestId
    broadcast: Id
    state: Literal[ReceiptState.DELIVERED, ReceiptState.HEARD, ReceiptState.ACKNOWLEDGED]
    samples_expected: Annotated[int, Field(ge=0, le=2**53)] | None = None
    samples_played: Annotated[int, Field(ge=0, le=2**53)] | None = None
    again: bool = False


class PersonReceipt(Message):
    """How far it came with one person, and since when. ``online``: he has a phone connected now."""

    person: Person
    state: ReceiptState
    at_ms: int
    online: bool = False


class BroadcastTally(Message):
    """To the initiator, live: how many it reached how far, each counted at the furthest point, and who changed.

    The whole list: ``GET /api/v1/broadcasts/{id}``.
    """

    type: Literal["broadcast_tally"] = "broadcast_tally"
    broadcast: Id
    state: Literal["running", "over", "withdrawn", "expired"]
    people: int
    sent: int
    delivered: int
    heard: int
    acknowledged: int
    missed: int
    waiting: int
    changed: list[PersonReceipt]


class BroadcastEnd(Message):
    """Its initiator (or one who may end calls) ends a live broadcast, or withdraws it from all. Answered by `Ok`."""

    type: Literal["broadcast_end"] = "broadcast_end"
    id: RequestId
    broadcast: Id
    withdraw: bool = False


class PlanRun(Message):
    """Starts a saved plan (应急方案). Answered as what it starts: `BroadcastStarted` or `EmergencyCallStarted`.

    ``call`` becomes the id of the call or broadcast.
    """

    type: Literal["plan_run"] = "plan_run"
    id: RequestId
    plan: Id
    call: Id
