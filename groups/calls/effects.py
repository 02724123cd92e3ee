"""What the call machine asks its node to do, in order."""

from __future__ import annotations

from dataclasses import dataclass

from groups.calls.state import CallEnd, Part
from groups.vocabulary import Refusal, Tier, UserId


@dataclass(frozen=True, slots=True)
class Ring:
    """All phones of ``user`` ring."""

    user: UserId


@dataclass(frozen=True, slots=True)
class StopRinging:
    """The other phones of ``user`` need not ring any more; ``part`` says why."""

    user: UserId
    part: Part
    key: str | None


@dataclass(frozen=True, slots=True)
class Join:
    """``user`` is in: his phones (only ``key`` when it names one) hear the call and may talk in it."""

    user: UserId
    key: str | None


@dataclass(frozen=True, slots=True)
class Parted:
    """``user`` is out."""

    user: UserId


@dataclass(frozen=True, slots=True)
class PartChanged:
    """To all in the call: what one of those called has done."""

    user: UserId
    part: Part


@dataclass(frozen=True, slots=True)
class Running:
    """To all present: the call is up; from now on one may press."""


@dataclass(frozen=True, slots=True)
class TierIs:
    """To all in the call: its tier is now this."""

    tier: Tier


@dataclass(frozen=True, slots=True)
class Ended:
    """To all: the call is over."""

    end: CallEnd


@dataclass(frozen=True, slots=True)
class Done:
    """To a requester: done."""

    key: str
    request: str | None


@dataclass(frozen=True, slots=True)
class Refused:
    """To a requester: it cannot be done."""

    key: str
    request: str | None
    code: Refusal


CallEffect = Ring | StopRinging | Join | Parted | PartChanged | Running | TierIs | Ended | Done | Refused
