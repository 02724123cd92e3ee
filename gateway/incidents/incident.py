"""What an incident (案卷) is: the facts a case system tells of it, as plain frozen data in the words of GB/T 30428."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, JsonValue, TypeAdapter

from groups.vocabulary import IncidentCode

MAX_TEXT_CHARS = 4_000
"""Longest description or opinion; a longer one is refused."""
MAX_WORD_CHARS = 128
"""Longest name, id, class or code."""
MAX_PARTIES = 200
"""Parties one incident may be dispatched to."""
MAX_FILES = 100

STRICT = ConfigDict(extra="forbid")
Word = Annotated[str, Field(max_length=MAX_WORD_CHARS)]
Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS)]
Millis = Annotated[int, Field(ge=0, le=253_402_300_799_999)]
"""Milliseconds since the epoch, up to the year 9999."""


class Kind(StrEnum):
    """What a case is about: the first letter of its code."""

    COMPONENT = "component"  # 部件 C
    EVENT = "event"  # 事件 E


class Stage(StrEnum):
    """The seven stages of a case."""

    COLLECTION = "collection"  # 信息收集
    FILING = "filing"  # 案卷建立
    DISPATCH = "dispatch"  # 任务派遣
    HANDLING = "handling"  # 任务处理
    FEEDBACK = "feedback"  # 处理反馈
    CHECK = "check"  # 核查结案
    EVALUATION = "evaluation"  # 综合评价


class State(StrEnum):
    """Where a case stands; finer than the stage, as running platforms have it."""

    DRAFT = "draft"  # 草稿
    REPORTED = "reported"  # 上报
    FILED = "filed"  # 立案
    DISPATCHED = "dispatched"  # 派遣
    HANDLING = "handling"  # 处理中
    FEEDBACK = "feedback"  # 已反馈，待核查
    SUSPENSION_ASKED = "suspension_asked"  # 申请挂账
    SUSPENDED = "suspended"  # 挂账
    CLOSED = "closed"  # 结案
    EVALUATED = "evaluated"  # 已评价
    VOID = "void"  # 作废


STAGE_OF: dict[State, Stage] = {
    State.DRAFT: Stage.COLLECTION,
    State.REPORTED: Stage.COLLECTION,
    State.FILED: Stage.FILING,
    State.DISPATCHED: Stage.DISPATCH,
    State.HANDLING: Stage.HANDLING,
    State.FEEDBACK: Stage.FEEDBACK,
    State.SUSPENSION_ASKED: Stage.HANDLING,
    State.SUSPENDED: Stage.HANDLING,
    State.CLOSED: Stage.CHECK,
    State.EVALUATED: Stage.EVALUATION,
    State.VOID: Stage.CHECK,
}


class Datum(StrEnum):
    """What a coordinate refers to. CGCS2000 differs from WGS-84 by centimetres and is taken as the same."""

    WGS84 = "WGS-84"
    CGCS2000 = "CGCS2000"
    GCJ02 = "GCJ-02"


class PartyKind(StrEnum):
    """By what somebody was dispatched to."""

    USER = "user"
    UNIT = "unit"
    CELL = "cell"  # 万米单元网格: whoever is responsible for it
    DUTY = "duty"  # 值班: whoever is on that duty now
    PLACE = "place"  # whoever is within ``radius_m`` of the incident


@dataclass(frozen=True, slots=True)
class Party:
    """One addressee of a dispatch. Who that is just now, the directory says."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: PartyKind
    id: Word = ""
    radius_m: Annotated[int, Field(ge=1, le=50_000)] | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees in ``datum``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    lon: Annotated[float, Field(ge=-180, le=180)]
    lat: Annotated[float, Field(ge=-90, le=90)]
    datum: Datum = Datum.WGS84


@dataclass(frozen=True, slots=True)
class Limit:
    """How long a stage may take: ``allowed_ms`` of work (or wall-clock) time, or until ``due_ms``."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    stage: Stage
    allowed_ms: Annotated[int, Field(ge=1, le=10 * 366 * 86_400_000)] | None = None
    due_ms: Millis | None = None
    wall_clock: bool = False


class FileKind(StrEnum):
    """What an attached file is."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class File:
    """A file the case system holds; the link is kept, the content is not fetched."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    kind: FileKind
    url: Annotated[str, Field(max_length=2_000)]
    name: Word = ""


@dataclass(frozen=True, slots=True)
class Pause:
    """A time within the present stage while the case was suspended (挂账): the limit's clock stood."""

    begin: int
    end: int | None = None


@dataclass(frozen=True, slots=True)
class LogRow:
    """One step of the case: who did what when, in which state it left the case. ``fits``: the table knew the step."""

    version: int
    at: int
    step: str
    state: State
    who: str = ""
    role: str = ""
    opinion: str = ""
    fits: bool = True


@dataclass(frozen=True, slots=True)
class Incident:
    """A case as all news so far tell it. Times in ms; ``since`` is when the present state was entered.

    ``dispatched``: it was at least once, so it has an address.
    """

    code: IncidentCode
    state: State = State.DRAFT
    since: int = 0
    title: str = ""
    kind: Kind | None = None
    major: str = ""
    minor: str = ""
    level: str = ""
    description: str = ""
    address: str = ""
    point: Point | None = None
    cell: str = ""
    source: str = ""
    reporter: str = ""
    urgent: bool = False
    sudden: bool = False
    supervised: bool = False
    parties: tuple[Party, ...] = ()
    limits: tuple[Limit, ...] = ()
    files: tuple[File, ...] = ()
    dispatched: bool = False
    stage_since: int = 0
    pauses: tuple[Pause, ...] = ()
    log: tuple[LogRow, ...] = ()

    @property
    def stage(self) -> Stage:
        """Which of the seven stages the case is in."""
        return STAGE_OF[self.state]

    @property
    def name(self) -> str:
        """What its talk group is called."""
        return self.title or " ".join(word for word in (self.minor or self.major, self.address) if word) or self.code


def facts_of(incident: Incident) -> dict[str, JsonValue]:
    """``incident`` as others are told of it: every fact, its stage and name, without the log."""
    told: dict[str, JsonValue] = _adapter().dump_python(incident, mode="json", exclude={"log", "pauses"})
    return {**told, "stage": incident.stage.value, "name": incident.name}


@cache
def _adapter() -> TypeAdapter[Incident]:
    return TypeAdapter(Incident)
