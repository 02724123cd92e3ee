"""What wakes a phone that is not connected, and how an attempt to send it ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from groups.vocabulary import Tier


class NoticeKind(StrEnum):
    """Why somebody is woken."""

    SOS = "sos"
    BROADCAST = "broadcast"
    CALL = "call"
    INCIDENT = "incident"
    """A case that comes forward by rule: urgent, sudden, supervised."""


class Urgency(IntEnum):
    """What a notice may wait behind: only behind those of its own urgency."""

    SOS = 0
    URGENT = 1
    ROUTINE = 2


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing somebody must know.

    Attributes:
        id: of the alert, broadcast, call or case.
        by: name of who it comes from; of a case its title.
        attempt: 0 when it is told first, one more each time it is told again.
        exercise: practice, not meant: it must not alarm anybody.
    """

    kind: NoticeKind
    id: str
    by: str
    text: str = ""
    tier: Tier = Tier.NORMAL
    exercise: bool = False
    attempt: int = 0

    @property
    def urgent(self) -> bool:
        """Whether it may alarm."""
        return not self.exercise and (self.tier is not Tier.NORMAL or self.kind is NoticeKind.SOS)

    @property
    def urgency(self) -> Urgency:
        """Somebody in danger before what is urgent, and that before everything else."""
        if self.kind is NoticeKind.SOS and not self.exercise:
            return Urgency.SOS
        return Urgency.URGENT if self.urgent else Urgency.ROUTINE

    def again(self, attempt: int) -> Notice:
        """The same, told for the ``attempt``-th time."""
        return replace(self, attempt=attempt)


class Outcome(StrEnum):
    """How an attempt ended."""

    SENT = "sent"
    GONE = "gone"
    AGAIN = "again"
    NEVER = "never"


def outcome_of(status: int) -> Outcome:
    """What an HTTP status of a push service means (RFC 8030 §5, §7.3): gone endpoints are to be forgotten."""
    if 200 <= status < 300:
        return Outcome.SENT
    if status in (404, 410):
        return Outcome.GONE
    return Outcome.AGAIN if status in (408, 425, 429) or status >= 500 else Outcome.NEVER
