"""What phones saw and did in a run of `make chaos`. Times are seconds of the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet of ``talker`` arrived at ``listener``'s phone, which is on ``node``; ``press``: the talker's count."""

    at: float
    group: str
    listener: int
    node: int
    talker: int
    press: int


@dataclass(frozen=True, slots=True)
class Granted:
    """The floor was granted by ``node``. ``burst`` is the server's id, ``press`` the talker's own count."""

    at: float
    group: str
    node: int
    talker: int
    burst: int
    press: int


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a talker said, from his first packet to his last."""

    at: float
    until: float
    group: str
    talker: int
    press: int
    packets: int


@dataclass(frozen=True, slots=True)
class Paused:
    """A phone that had its place said nothing, because its person had nothing to say."""

    at: float
    until: float
    phone: int


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A key that went down at ``at`` and was held for seconds: its phone had its link, and was told nothing of it."""

    at: float
    group: str
    talker: int


@dataclass(frozen=True, slots=True)
class Idle:
    """A phone was told that its group's floor is free; ``burst`` is the one that is over, None when it came late."""

    at: float
    group: str
    burst: int | None


@dataclass(frozen=True, slots=True)
class Back:
    """A phone came, or had lost its node, and has a place, its group and a voice path."""

    at: float
    phone: int


@dataclass(frozen=True, slots=True)
class Killed:
    """What a node that was killed had: its phones, and by group the bursts of those that were on air."""

    at: float
    phones: frozenset[int]
    bursts: dict[str, int]
