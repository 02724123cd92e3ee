"""What the floor machine asks its node to do, in the order in which it is to be done. Times in ms."""

from __future__ import annotations

from dataclasses import dataclass

from groups.vocabulary import BurstEnd, BurstId, DenyCause, Refusal, RevokeCause, Tier, UserId


@dataclass(frozen=True, slots=True)
class Granted:
    """To the talker: Floor Granted (§8.2.5). ``duration_ms`` counts from his first packet."""

    user: UserId
    key: str
    request: str | None
    burst: BurstId
    duration_ms: int
    from_queue: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """To all but the talker: Floor Taken (§8.2.9). ``may_request``: a press now is not refused out of hand."""

    burst: BurstId
    user: UserId
    tier: Tier
    may_request: bool


@dataclass(frozen=True, slots=True)
class Idle:
    """To all: Floor Idle (§8.2.8), with the burst that was the last and how it ended."""

    burst: BurstId
    end: BurstEnd


@dataclass(frozen=True, slots=True)
class Denied:
    """To the requester: Floor Deny (§8.2.6). ``request`` is None when a waiting request is thrown out."""

    user: UserId
    key: str
    request: str | None
    cause: DenyCause
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Queued:
    """To one who waits: Floor Queue Position Info (§8.2.12); 1 is next. ``request`` None: his place changed."""

    user: UserId
    key: str
    request: str | None
    position: int
    size: int


@dataclass(frozen=True, slots=True)
class Revoked:
    """To a talker: Floor Revoke (§8.2.10). ``burst`` 0: he sends without having the floor."""

    user: UserId
    key: str
    burst: BurstId
    cause: RevokeCause
    grace_ms: int


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """To a requester: done, and there is nothing else to say."""

    user: UserId
    key: str
    request: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """To a requester: it cannot be done."""

    user: UserId
    key: str
    request: str | None
    code: Refusal


@dataclass(frozen=True, slots=True)
class BurstBegan:
    """Open the media route and the recording. ``overriding``: another burst stays on air (dual floor)."""

    burst: BurstId
    user: UserId
    key: str
    tier: Tier
    priority: int
    at: int
    overriding: bool


@dataclass(frozen=True, slots=True)
class BurstMoved:
    """The talker came back on another connection: take the media from there."""

    burst: BurstId
    user: UserId
    key: str


@dataclass(frozen=True, slots=True)
class BurstEnded:
    """Close the media route and the recording."""

    burst: BurstId
    user: UserId
    key: str
    end: BurstEnd
    at: int


@dataclass(frozen=True, slots=True)
class Inactive:
    """T4 went by in Floor Idle: the call may end (§6.3.4.3)."""


FloorEffect = (
    Granted
    | Taken
    | Idle
    | Denied
    | Queued
    | Revoked
    | Acknowledged
    | Refused
    | BurstBegan
    | BurstMoved
    | BurstEnded
    | Inactive
)
