"""Floor control on the wire, in the words of TS 24.380 §8 (the mapping to JSON is ours)."""

from __future__ import annotations

from typing import Literal

from groups.vocabulary import BurstEnd, DenyCause, Refusal, RevokeCause, Tier
from signaling.messages.base import Id, Message, RequestId
from signaling.messages.group import Person


class FloorRequest(Message):
    """Key down. Media may be sent at once: it is held for at most 150 ms and relayed when granted."""

    type: Literal["floor_request"] = "floor_request"
    id: RequestId
    group: Id


class FloorRelease(Message):
    """Key up: ends the burst, or takes a queued or pending request back. Answered by `Ok`."""

    type: Literal["floor_release"] = "floor_release"
    id: RequestId
    group: Id
    burst: int | None = None


class FloorQueuePositionRequest(Message):
    """Where am I in the queue? Answered by `FloorQueued`, or an error when not queued."""

    type: Literal["floor_queue_position_request"] = "floor_queue_position_request"
    id: RequestId
    group: Id


class FloorRevokeRequest(Message):
    """A dispatcher takes another's floor away. Answered by `Ok`."""

    type: Literal["floor_revoke_request"] = "floor_revoke_request"
    id: RequestId
    group: Id


class FloorGranted(Message):
    """You have the floor until ``duration_ms`` after your first packet. ``id`` repeats the request's."""

    type: Literal["floor_granted"] = "floor_granted"
    id: RequestId | None = None
    group: Id
    burst: int
    duration_ms: int
    from_queue: bool = False


class FloorTaken(Message):
    """Another has the floor. ``may_request``: a press would be queued or pre-empt rather than be refused."""

    type: Literal["floor_taken"] = "floor_taken"
    group: Id
    burst: int
    by: Person
    tier: Tier = Tier.NORMAL
    may_request: bool = True


class FloorIdle(Message):
    """Nobody has the floor. ``burst`` is the newest there was, of two at once too; ``end`` how the last one ended."""

    type: Literal["floor_idle"] = "floor_idle"
    group: Id
    burst: int | None = None
    end: BurstEnd | None = None


class FloorDeny(Message):
    """The request is refused; ``cause`` is the standard's number, ``code`` says it in a word."""

    type: Literal["floor_deny"] = "floor_deny"
    id: RequestId | None = None
    group: Id
    cause: DenyCause
    code: Refusal
    message: str
    retry_after_ms: int | None = None


class FloorRevoke(Message):
    """Your floor ends in ``grace_ms``; until then media still goes out."""

    type: Literal["floor_revoke"] = "floor_revoke"
    group: Id
    burst: int
    cause: RevokeCause
    grace_ms: int


class FloorQueued(Message):
    """Your request waits at ``position`` (1 is next) among ``size``."""

    type: Literal["floor_queued"] = "floor_queued"
    id: RequestId | None = None
    group: Id
    position: int
    size: int
