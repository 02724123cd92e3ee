"""All there is to know of one incident, as plain data, and what the operator may set about incidents."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pydantic import JsonValue, TypeAdapter

from gateway.incidents.effects import Address, EventOut, EventType
from gateway.incidents.incident import Incident
from gateway.incidents.limits import Calendar, Lamp
from gateway.incidents.news import News
from gateway.incidents.rules import Attention, Rules
from groups.vocabulary import GroupId, IncidentCode, UserId

HANG_MS = 600_000
"""How long after closing the group may still talk; a burst meanwhile starts it again."""
ARCHIVE_MS = 30 * 86_400_000
"""How long a frozen group stays in the directory."""
NEWS_KEPT = 256
"""News that may still be put in order; when one more comes the older half becomes the base."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator may set about incidents."""

    rules: Rules = field(default_factory=Rules)
    calendar: Calendar = field(default_factory=Calendar)
    hang_ms: int = HANG_MS
    news_kept: int = NEWS_KEPT
    archive_ms: int = ARCHIVE_MS


DEFAULT = Options()


Taps = tuple[tuple[UserId, EventType], ...]
"""The last tap of each officer."""


@dataclass(frozen=True, slots=True)
class RoundOver:
    """A round of work that is over: by which news (version, id), and what was tapped in it."""

    by: tuple[int, str]
    taps: Taps = ()


@dataclass(frozen=True, slots=True)
class IncidentState:
    """All there is to know of one incident.

    ``base`` is the fold of news too old to be put in order any more: of the version in ``base_order``, and before it.
    ``taken_back``: version and id of news that was told wrongly.
    """

    base: Incident
    incident: Incident
    base_order: tuple[int, str] = (-1, "")
    news: tuple[News, ...] = ()
    taken_back: tuple[tuple[int, str], ...] = ()
    address: Address = Address.NONE
    name: str = ""
    freeze_at: int | None = None
    archive_at: int | None = None
    hang_ms: int = HANG_MS
    members: frozenset[UserId] = frozenset()
    unknown: tuple[str, ...] = ()
    near: frozenset[UserId] = frozenset()
    empty: tuple[str, ...] = ()
    groups: frozenset[GroupId] = frozenset()
    round: int = 0
    """How often its work began anew (返工): what officers tapped counts within a round."""
    taps: Taps = ()
    rounds: tuple[RoundOver, ...] = ()
    """Rounds before, while what ended them may still be taken back (`gateway.incidents.rounds`)."""
    tapped_before: frozenset[UserId] = frozenset()
    """Who tapped in an earlier round."""
    alerts: tuple[tuple[str, UserId], ...] = ()
    """SOS that are open in its group, and whose."""
    settle_at: int | None = None
    """The last of them is over: what waited for it is done at the next `Tick`."""
    attention: Attention = Attention.QUIET
    lamp: Lamp = Lamp.OFF
    changes: int = 0

    @property
    def code(self) -> IncidentCode:
        """The case's code."""
        return self.incident.code

    def event(self, type: EventType, at: int, data: dict[str, JsonValue] | None = None) -> EventOut:  # noqa: A002
        """The event that tells of its last change."""
        return EventOut(f"{self.code}/{self.changes}/{type}", type, at, data or {})

    def to_json(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        dumped: dict[str, Any] = _adapter().dump_python(self, mode="json", exclude_defaults=True)
        return dumped

    @staticmethod
    def from_json(data: object) -> IncidentState:
        """The state again. Raises ValueError when ``data`` was not made by `to_json`."""
        return _adapter().validate_python(data)


@cache
def _adapter() -> TypeAdapter[IncidentState]:
    return TypeAdapter(IncidentState)


def new_incident(code: IncidentCode) -> IncidentState:
    """An incident nothing is known of yet."""
    nothing = Incident(code)
    return IncidentState(base=nothing, incident=nothing)
