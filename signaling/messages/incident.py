"""Incidents on phones: those that concern the user, what he reports by a tap, and being switched to one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from signaling.messages.base import Id, Message, Name, RequestId
from signaling.messages.group import GroupSnapshot, GroupSummary

Code = Annotated[str, StringConstraints(min_length=1, max_length=48)]
Tap = Literal["accepted", "on_the_way", "on_scene", "done"]


class IncidentPlace(Message):
    """Degrees in WGS-84."""

    longitude: float
    latitude: float


class IncidentSummary(Message):
    """An incident as its members see it. ``group`` is its talk group; ``tap`` what this user reported last.

    ``attention``: 0 it is found by looking, 1 it comes with a tone, 2 phones are switched to it.
    """

    code: Code
    title: Annotated[str, StringConstraints(max_length=4_000)]
    group: GroupSummary | None = None
    state: str
    open: bool
    urgent: bool = False
    supervised: bool = False
    attention: Annotated[int, Field(ge=0, le=2)] = 0
    lamp: Literal["off", "green", "yellow", "red"] = "off"
    address: Annotated[str, StringConstraints(max_length=4_000)] = ""
    description: Annotated[str, StringConstraints(max_length=4_000)] = ""
    place: IncidentPlace | None = None
    tap: Tap | None = None
    since_ms: int = 0


class IncidentList(Message):
    """The incidents that matter to me now, urgent first; with ``text`` those that have it in title or code.

    Answered by `Incidents`.
    """

    type: Literal["incident_list"] = "incident_list"
    id: RequestId
    limit: Annotated[int, Field(ge=1, le=100)] = 8
    text: Annotated[str, StringConstraints(max_length=64)] = ""


class Incidents(Message):
    """Answer to `IncidentList`. ``more``: there are others beside these."""

    type: Literal["incidents"] = "incidents"
    id: RequestId
    incidents: list[IncidentSummary]
    more: bool = False


class IncidentChanged(Message):
    """An incident began to concern this user, or is different now; ``mine`` False: it concerns him no longer."""

    type: Literal["incident_changed"] = "incident_changed"
    incident: IncidentSummary
    mine: bool = True


class IncidentsStirred(Message):
    """Incidents are different now, told at most once a second to who handles them: time to read the list again."""

    type: Literal["incidents_stirred"] = "incidents_stirred"


class IncidentReport(Message):
    """A tap. Only the first of each kind counts, and only forward. Answered by `Ok`."""

    type: Literal["incident_report"] = "incident_report"
    id: RequestId
    code: Code
    tap: Tap


class Switched(Message):
    """The server selected a group for this phone, by rule; ``back`` is what was selected before: one key goes back."""

    type: Literal["switched"] = "switched"
    group: GroupSnapshot
    back: Id | None = None
    incident: Code | None = None
    title: Name = ""
