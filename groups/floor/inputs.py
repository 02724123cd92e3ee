"""What can happen to a floor. Times are ms on the clock that ``now`` is read from.

``key`` names the connection that speaks (opaque: whatever the node needs to find it again), ``request`` the id the
peer gave its message; both come back in the effects. The sender has been authenticated and his rights were looked up
before an input is made: the machine judges the floor, not the person.
"""

from __future__ import annotations

from dataclasses import dataclass

from groups.floor.options import FloorOptions
from groups.vocabulary import BurstId, DenyCause, RevokeCause, Tier, UserId

SOS_PRIORITY = 255
"""Of one in SOS: nobody's number is greater."""


@dataclass(frozen=True, slots=True)
class Request:
    """Floor Request (§8.2.4).

    Attributes:
        participants: how many are in the call just now, the requester among them.
        may_talk: False for one who may only listen here.
        may_preempt: whether a strictly greater ``priority`` (0–255) takes the floor from a talker.
        tier: from the server's own emergency state, never from what the peer claims.
        sos: he is in danger himself: beside another in emergency both are heard.
        dispatcher: he answers alerts here: he neither waits behind an emergency nor is silenced by one.
        hindrance: why the node cannot carry this burst, when it knows of a reason (cause 2, 6 or 255).
    """

    user: UserId
    key: str
    participants: int
    request: str | None = None
    priority: int = 100
    may_talk: bool = True
    may_preempt: bool = False
    tier: Tier = Tier.NORMAL
    sos: bool = False
    dispatcher: bool = False
    hindrance: DenyCause | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """Floor Release (§8.2.7). Naming a ``burst`` ends only that one; else a waiting request is taken back too."""

    user: UserId
    key: str
    request: str | None = None
    burst: BurstId | None = None


@dataclass(frozen=True, slots=True)
class QueuePositionRequest:
    """Floor Queue Position Request (§8.2.11)."""

    user: UserId
    key: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeRequest:
    """Floor Revoke Request: one who may (a dispatcher) takes the floor of ``of``, or of all who have it."""

    user: UserId
    key: str
    request: str | None = None
    of: UserId | None = None


@dataclass(frozen=True, slots=True)
class MediaStarted:
    """The first packet of a burst, or the first after `MediaStopped`."""

    user: UserId
    burst: BurstId
    at: int


@dataclass(frozen=True, slots=True)
class MediaStopped:
    """No packet of a burst for a while; ``last_packet_at`` is when the last one came."""

    user: UserId
    burst: BurstId
    last_packet_at: int


@dataclass(frozen=True, slots=True)
class MediaWithoutFloor:
    """Voice from one who has no floor. It was heard by nobody."""

    user: UserId
    key: str


@dataclass(frozen=True, slots=True)
class Left:
    """A participant is gone. With a ``key``, only what that connection held; None is every one of his."""

    user: UserId
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Rejoined:
    """A participant came back on another connection and keeps his floor or his place in the queue."""

    user: UserId
    key: str


@dataclass(frozen=True, slots=True)
class Participants:
    """How many are in the call now. One or none: there is nobody to talk to."""

    count: int


@dataclass(frozen=True, slots=True)
class TierChanged:
    """A user's emergency state changed; it counts for the burst he has and for the request that waits."""

    user: UserId
    tier: Tier
    sos: bool = False


@dataclass(frozen=True, slots=True)
class Withdraw:
    """The server takes floor and waiting request away: from ``user``, or from all when None.

    Causes 3 (no permission: banned, disabled, right lost) and 255 (the call ends) give no grace.
    """

    user: UserId | None
    cause: RevokeCause


@dataclass(frozen=True, slots=True)
class OptionsChanged:
    """An administrator changed the group's floor options."""

    options: FloorOptions


@dataclass(frozen=True, slots=True)
class Tick:
    """Nothing but time went by: what is due is done."""


FloorInput = (
    Request
    | Release
    | QueuePositionRequest
    | RevokeRequest
    | MediaStarted
    | MediaStopped
    | MediaWithoutFloor
    | Left
    | Rejoined
    | Participants
    | TierChanged
    | Withdraw
    | OptionsChanged
    | Tick
)
