"""News of a case, as a case system tells it: a step, a state, or only facts; and the fold of all news to an incident.

News may come twice, late and in any order. Each carries the version the case system gave it; the incident is the fold
of all its news *in the order of versions*, so whatever way they arrived the same incident comes out. An absent fact
(None) says nothing; an empty text or list takes the former one away.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from gateway.incidents.incident import (
    MAX_FILES,
    MAX_PARTIES,
    STAGE_OF,
    STRICT,
    File,
    Incident,
    Kind,
    Limit,
    LogRow,
    Millis,
    Party,
    Pause,
    Point,
    State,
    Text,
    Word,
)
from gateway.incidents.steps import Step, next_state

MAX_LOG_ROWS = 500
"""Log rows kept per incident; the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What a message about a case may tell. ``step`` is what was done, ``state`` where the case stands now."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    step: Step | None = None
    state: State | None = None
    who: Word = ""
    role: Word = ""
    opinion: Text = ""
    title: Word | None = None
    kind: Kind | None = None
    major: Word | None = None
    minor: Word | None = None
    level: Word | None = None
    description: Text | None = None
    address: Text | None = None
    point: Point | None = None
    cell: Word | None = None
    source: Word | None = None
    reporter: Word | None = None
    urgent: bool | None = None
    sudden: bool | None = None
    supervised: bool | None = None
    parties: Annotated[tuple[Party, ...], Field(max_length=MAX_PARTIES)] | None = None
    limits: Annotated[tuple[Limit, ...], Field(max_length=16)] | None = None
    files: Annotated[tuple[File, ...], Field(max_length=MAX_FILES)] | None = None


_NO_FACTS = {"step", "state", "who", "role", "opinion"}
FACTS = tuple(field.name for field in fields(Telling) if field.name not in _NO_FACTS)
"""What of a `Telling` an `Incident` carries under the same name."""

NewsId = Annotated[str, Field(min_length=1, max_length=256)]
MAX_VERSION = 2**62
Version = Annotated[int, Field(ge=0, le=MAX_VERSION)]


@dataclass(frozen=True, slots=True, kw_only=True)
class News(Telling):
    """One message about a case. ``id`` is the same when it is repeated.

    ``at`` is when it was done by the case system's own clock, or when it came where that was not told.
    """

    id: NewsId
    version: Version
    at: Millis

    @property
    def order(self) -> tuple[int, int, str]:
        """What news are sorted by: the version; where two carry the same, their time; then the id."""
        return self.version, self.at, self.id


def fold(incident: Incident, news: Iterable[News]) -> Incident:
    """``incident`` after ``news``, which must be in their order."""
    for one in news:
        incident = _apply(incident, one)
    return incident


def _apply(incident: Incident, news: News) -> Incident:
    told = {name: value for name in FACTS if (value := getattr(news, name)) is not None}
    if news.step is Step.MAKE_URGENT:
        told["urgent"] = True
    if news.step is Step.SUPERVISE:
        told["supervised"] = True
    state, fits = next_state(incident.state, news.step) if news.step else (_implied(incident.state, news), True)
    if news.state is not None:
        state, fits = news.state, True
    row = LogRow(news.version, news.at, news.step or "update", state, news.who, news.role, news.opinion, fits)
    moved = replace(incident, **told, log=(*incident.log, row)[-MAX_LOG_ROWS:])
    return moved if state is incident.state else _enter(moved, state, news.at)


def _implied(state: State, news: News) -> State:
    """A system that tells neither steps nor states: a case is filed, and dispatched once it has parties."""
    if state not in (State.DRAFT, State.REPORTED, State.FILED):
        return state
    if news.parties:
        return State.DISPATCHED
    return State.FILED if state is State.DRAFT else state


def _enter(incident: Incident, state: State, at: int) -> Incident:
    """Moves to another state. Suspension stops the clock of its stage; another stage starts a clock of its own."""
    incident = replace(incident, dispatched=incident.dispatched or state in _DISPATCHED)
    resumed = incident.state is State.SUSPENDED and state in _SAME_STAGE_AFTER_SUSPENSION
    if state is State.SUSPENDED:
        return replace(incident, state=state, since=at, pauses=(*incident.pauses, Pause(at)))
    if resumed and incident.pauses:
        *before, last = incident.pauses
        return replace(incident, state=state, since=at, pauses=(*before, Pause(last.begin, max(at, last.begin))))
    if STAGE_OF[state] is STAGE_OF[incident.state] and incident.since:
        return replace(incident, state=state, since=at)
    return replace(incident, state=state, since=at, stage_since=at, pauses=())


_SAME_STAGE_AFTER_SUSPENSION = frozenset({State.HANDLING, State.DISPATCHED, State.SUSPENSION_ASKED})
_DISPATCHED = frozenset({State.DISPATCHED, State.HANDLING, State.FEEDBACK, State.SUSPENSION_ASKED, State.SUSPENDED})
