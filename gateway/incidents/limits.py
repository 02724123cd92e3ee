"""Limits per stage and the lamp: green to 80 % of the limit, yellow to 100 %, red after.

A limit counts working time unless the case is urgent (转应急) or the limit says otherwise: then the wall clock.
Pure integer arithmetic in ms since the epoch; China keeps one offset all year, so a calendar is an offset and a week.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.incidents.incident import Incident, Limit, State

_MINUTE = 60_000
_DAY = 86_400_000
_THURSDAY = 3  # the epoch's first day, Monday being 0
YELLOW_FROM = 0.8
_LONGEST_SEARCH_DAYS = 3_660


class Lamp(StrEnum):
    """How the present stage stands against its limit; OFF when it has none or the case is over."""

    OFF = "off"
    GREEN = "green"
    YELLOW = "yellow"
    RED = "red"


@dataclass(frozen=True, slots=True)
class Calendar:
    """When people work: spans in minutes of the local day, weekdays (Monday 0), days off and extra days (day numbers).

    A day number is days since 1970-01-01 local. Defaults: Monday to Friday, 08:30–12:00 and 14:00–17:30, UTC+8.
    """

    offset_minutes: int = 480
    spans: tuple[tuple[int, int], ...] = ((510, 720), (840, 1050))
    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    holidays: frozenset[int] = frozenset()
    extra_days: frozenset[int] = frozenset()

    def worked(self, start: int, end: int) -> int:
        """Working ms between two moments; 0 when ``end`` is not later."""
        shift = self.offset_minutes * _MINUTE
        first, last = (start + shift) // _DAY, (end + shift) // _DAY
        return sum(
            max(0, min(end + shift, until) - max(start + shift, begin))
            for day in range(first, min(last, first + _LONGEST_SEARCH_DAYS) + 1)
            for begin, until in self._spans_of(day)
        )

    def after(self, start: int, working_ms: int) -> int:
        """The moment at which ``working_ms`` have been worked since ``start``."""
        shift = self.offset_minutes * _MINUTE
        local, left = start + shift, working_ms
        first = local // _DAY
        for day in range(first, first + _LONGEST_SEARCH_DAYS):
            for begin, until in self._spans_of(day):
                usable = until - max(begin, local)
                if usable >= left:
                    return max(begin, local) + left - shift
                left -= max(0, usable)
        return start + working_ms  # a calendar without working days: the wall clock

    def _spans_of(self, day: int) -> tuple[tuple[int, int], ...]:
        works = day in self.extra_days or ((day + _THURSDAY) % 7 in self.weekdays and day not in self.holidays)
        return tuple((day * _DAY + a * _MINUTE, day * _DAY + b * _MINUTE) for a, b in self.spans) if works else ()


def limit_of(incident: Incident) -> Limit | None:
    """The limit of the present stage."""
    return next((limit for limit in incident.limits if limit.stage is incident.stage), None)


def due(incident: Incident, calendar: Calendar, part: float = 1.0) -> int | None:
    """When ``part`` of the present stage's limit is used up; None without one, or while the clock stands."""
    limit = limit_of(incident)
    if limit is None or incident.state in _STANDS:
        return None
    clock = Calendar.after if not (limit.wall_clock or incident.urgent) else _wall
    start = incident.stage_since
    if limit.due_ms is not None:
        clock = _wall
        end = start + int((limit.due_ms - start) * part) if limit.due_ms > start else limit.due_ms
    elif limit.allowed_ms is not None:
        end = clock(calendar, start, int(limit.allowed_ms * part))
    else:
        return None
    for pause in incident.pauses:
        if pause.end is not None and pause.begin < end:
            left = end - pause.begin if clock is _wall else calendar.worked(pause.begin, end)
            end = clock(calendar, pause.end, left)
    return end


def _wall(_calendar: Calendar, start: int, duration: int) -> int:
    return start + duration


def lamp(incident: Incident, now: int, calendar: Calendar) -> Lamp:
    """The colour of the lamp at ``now``."""
    yellow, red = due(incident, calendar, YELLOW_FROM), due(incident, calendar)
    if red is None or yellow is None:
        return Lamp.OFF
    if now > red:
        return Lamp.RED
    return Lamp.YELLOW if now > yellow else Lamp.GREEN


def next_change(incident: Incident, now: int, calendar: Calendar) -> int | None:
    """When the lamp will next change by itself: the first ms of the next colour."""
    moments = (due(incident, calendar, YELLOW_FROM), due(incident, calendar))
    return min((moment + 1 for moment in moments if moment is not None and moment >= now), default=None)


_STANDS = frozenset({State.SUSPENDED, State.CLOSED, State.EVALUATED, State.VOID})
