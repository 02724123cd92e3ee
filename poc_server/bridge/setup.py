"""The bridge's own file: who may tell us things, who is told, what is polled, and the rules of incidents."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gateway import samples
from gateway.delivery.outbox import (
    DELAYS_MS,
    FAILURES_UNTIL_DOWN,
    GIVE_UP_MS,
    PROBE_CAP_MS,
    REFUSALS_UNTIL_DEAD,
    Policy,
)
from gateway.delivery.receiver import Receiver
from gateway.incidents.incident_state import ARCHIVE_MS, HANG_MS, Options
from gateway.incidents.limits import Calendar
from gateway.incidents.rules import Rules
from gateway.mapping.mapping import BadMapping, MappingFile, load_mapping, parse_mapping
from gateway.polling import PollPlan
from gateway.webhooks import Sender

_EPOCH = date(1970, 1, 1).toordinal()
READY = ("flat", "nested", "steps")
"""Mapping files that come with the program; a name among these needs no file."""


class BadSetup(Exception):
    """The file cannot be used; the text says which key and why."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WorkingTime(_Part):
    """When limits in working time run: spans of the day, weekdays (Monday 1), days off and extra working days."""

    utc_offset_minutes: int = Field(default=480, ge=-720, le=840)
    spans: tuple[tuple[str, str], ...] = (("08:30", "12:00"), ("14:00", "17:30"))
    weekdays: frozenset[Annotated[int, Field(ge=1, le=7)]] = frozenset({1, 2, 3, 4, 5})
    holidays: frozenset[date] = frozenset()
    extra_days: frozenset[date] = frozenset()

    def calendar(self) -> Calendar:
        """As the machine's calendar. Raises ValueError for a span that is none."""
        return Calendar(
            self.utc_offset_minutes,
            tuple((_minutes(begin), _minutes(end)) for begin, end in self.spans),
            frozenset(day - 1 for day in self.weekdays),
            frozenset(day.toordinal() - _EPOCH for day in self.holidays),
            frozenset(day.toordinal() - _EPOCH for day in self.extra_days),
        )


class Retry(_Part):
    """How often and how long what a receiver did not take is tried again."""

    delays_s: Annotated[tuple[Annotated[float, Field(gt=0, le=86_400)], ...], Field(min_length=1, max_length=20)] = (
        tuple(delay / 1000 for delay in DELAYS_MS)
    )
    give_up_days: float = Field(default=GIVE_UP_MS / 86_400_000, gt=0, le=365)
    refusals_until_dead: int = Field(default=REFUSALS_UNTIL_DEAD, ge=1, le=100)
    failures_until_down: int = Field(default=FAILURES_UNTIL_DOWN, ge=1, le=100)
    probe_cap_s: float = Field(default=PROBE_CAP_MS / 1000, gt=0, le=86_400)

    def policy(self) -> Policy:
        """As the outbox's policy."""
        return Policy(
            tuple(round(delay * 1000) for delay in self.delays_s),
            round(self.give_up_days * 86_400_000),
            self.refusals_until_dead,
            self.failures_until_down,
            round(self.probe_cap_s * 1000),
        )


class SenderSetup(Sender):
    """A sender, and how its documents read: a mapping file, a ready sample's name, or none when they are ours."""

    mapping: str | None = None


class PollSetup(PollPlan):
    """A list endpoint to be polled."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    mapping: str


class BridgeFile(_Part):
    """The whole file. ``agency`` by id or name; absent: the only one there is."""

    agency: str = ""
    hang_minutes: float = Field(default=HANG_MS / 60_000, ge=0, le=1_440)
    """How long after closing an incident's group may still talk."""
    archive_days: float = Field(default=ARCHIVE_MS / 86_400_000, ge=0, le=3_650)
    """How long after that it stays in the directory; then only search, recordings and exports find it."""
    rules: Rules = Rules()
    working_time: WorkingTime = WorkingTime()
    retry: Retry = Retry()
    senders: tuple[SenderSetup, ...] = ()
    receivers: tuple[Receiver, ...] = ()
    polls: tuple[PollSetup, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> BridgeFile:
        for several in (self.senders, self.receivers, self.polls):
            names = [each.id for each in several]
            if len(names) != len(set(names)):
                raise ValueError("two have the same id")
        self.working_time.calendar()
        return self


@dataclass(frozen=True, slots=True)
class Setup:
    """The file, with every mapping it names read. ``mappings``: by the name used in the file."""

    file: BridgeFile = field(default_factory=BridgeFile)
    mappings: dict[str, MappingFile] = field(default_factory=dict)

    @property
    def options(self) -> Options:
        """What the incident machine is set to."""
        calendar = self.file.working_time.calendar()
        return Options(
            self.file.rules,
            calendar,
            round(self.file.hang_minutes * 60_000),
            archive_ms=round(self.file.archive_days * 86_400_000),
        )

    def mapping(self, name: str | None) -> MappingFile | None:
        """The mapping of that name; None for None."""
        return None if name is None else self.mappings[name]


def load(path: Path | None) -> Setup:
    """Reads the bridge's file and its mappings. Raises `BadSetup`."""
    if path is None:
        return Setup()
    try:
        file = BridgeFile.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, ValueError) as problem:
        raise BadSetup(f"{path}: {_told(problem)}") from None
    names = {each.mapping for several in (file.senders, file.receivers, file.polls) for each in several}
    return Setup(file, {name: read_mapping(name, path.parent) for name in sorted(names - {None}, key=str) if name})


def read_mapping(name: str, folder: Path) -> MappingFile:
    """A mapping by its file's path (seen from ``folder``) or a ready one's name. Raises `BadSetup`."""
    try:
        if name in READY:
            return parse_mapping(resources.files(samples).joinpath(f"{name}.toml").read_text("utf-8"))
        return load_mapping(folder / name)
    except (BadMapping, OSError) as problem:
        raise BadSetup(f"mapping {name}: {problem}") from None


def _told(problem: Exception) -> str:
    if isinstance(problem, ValidationError):
        found = problem.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in found)
    return str(problem)


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    found = int(hours) * 60 + int(minutes)
    if not 0 <= found <= 1_440:
        raise ValueError(f"not a time of day: {text}")
    return found
