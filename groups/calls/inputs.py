"""What can happen to a call. Rights were looked up before an input is made. Times in ms."""

from __future__ import annotations

from dataclasses import dataclass

from groups.calls.state import CallKind, CallOptions, Talking
from groups.vocabulary import Tier, UserId


@dataclass(frozen=True, slots=True)
class Start:
    """The initiator asks for the call.

    Attributes:
        reachable: those called who have a phone connected.
        busy: those of them who are in a private call.
        deaf: those of them whose phones all say that they would not hear.
    """

    kind: CallKind
    initiator: UserId
    key: str
    called: tuple[UserId, ...]
    reachable: frozenset[UserId]
    busy: frozenset[UserId] = frozenset()
    tier: Tier = Tier.NORMAL
    options: CallOptions = CallOptions()
    request: str | None = None
    deaf: frozenset[UserId] = frozenset()


@dataclass(frozen=True, slots=True)
class Accept:
    """One who rings accepts."""

    user: UserId
    key: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Refuse:
    """One who rings does not want it."""

    user: UserId
    key: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Came:
    """One who is called, or was, has a phone again: late entry (a SHALL of TS 24.379)."""

    user: UserId
    key: str


@dataclass(frozen=True, slots=True)
class Leave:
    """One hangs up, or is hung up."""

    user: UserId
    key: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Gone:
    """A phone of one is gone for good; ``last``: he has no other."""

    user: UserId
    key: str
    last: bool


@dataclass(frozen=True, slots=True)
class Add:
    """More people are brought into the running call (强拉 when they did not ask), also such as had left."""

    users: tuple[UserId, ...]
    reachable: frozenset[UserId]


@dataclass(frozen=True, slots=True)
class BurstBegan:
    """Somebody talks."""

    talking: Talking


@dataclass(frozen=True, slots=True)
class BurstEnded:
    """Somebody stopped talking."""

    user: UserId
    talking: Talking


@dataclass(frozen=True, slots=True)
class OnAir:
    """These talk, and nobody else: said by one who leads the call since a moment ago, and did not hear all before."""

    talking: tuple[Talking, ...]


@dataclass(frozen=True, slots=True)
class TierChanged:
    """Upgrade or downgrade inside the running call."""

    tier: Tier


@dataclass(frozen=True, slots=True)
class End:
    """The initiator, or one who may (强拆), ends it for all."""

    forced: bool
    user: UserId
    key: str
    request: str | None = None


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by."""


CallInput = (
    Start | Accept | Refuse | Came | Leave | Gone | Add | BurstBegan | BurstEnded | OnAir | TierChanged | End | Tick
)
