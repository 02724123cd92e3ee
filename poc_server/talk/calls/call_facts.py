"""What holds of a call from its beginning to its end, beside the state of its machine."""

from __future__ import annotations

from dataclasses import dataclass

from groups.calls.state import CallKind
from groups.model import User
from groups.vocabulary import CallId, GroupId, UserId


@dataclass(frozen=True, slots=True)
class CallFacts:
    """What of a call never changes.

    Attributes:
        called: at its start.
        standing: its group is there without it.
        asked: the phone it was asked for from, and the id of its request.
    """

    id: CallId
    group: GroupId
    kind: CallKind
    initiator: User
    name: str
    called: tuple[UserId, ...] = ()
    standing: bool = False
    asked: tuple[str, str] | None = None
