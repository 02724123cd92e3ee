"""Reads all that was granted and heard, and says what must not have been. Pure: no clock, no sockets.

Times are seconds of the run. While nodes reach each other a group never has two talkers on air. Where a fault parts
them each side may have its own, and for a settling time after; floors are serial per group on each side even then.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.chaos.schedule import Event, Fault

SETTLE_S = 5.0
"""Longest time after a fault in which what it caused may still be heard."""
TURN_S = 0.45
"""A talker's last packets and the next one's first may cross: a jitter of the network, not two floors."""
PARTS = frozenset({Fault.REDIS_AWAY, Fault.REDIS_FROZEN, Fault.REDIS_EMPTY, Fault.REDIS_FULL, Fault.SLEEP})


@dataclass(frozen=True, slots=True)
class Heard:
    """A packet of ``talker`` arrived at ``listener``'s phone."""

    at: float
    group: str
    listener: int
    talker: int
    burst: int


@dataclass(frozen=True, slots=True)
class Granted:
    """The floor was granted. ``burst`` is the server's id, ``press`` the talker's own count."""

    at: float
    group: str
    talker: int
    burst: int
    press: int


@dataclass(frozen=True, slots=True)
class Idle:
    """A phone was told that its group's floor is free; ``burst`` is the one that is over, None when it came late."""

    at: float
    group: str
    burst: int | None


@dataclass(frozen=True, slots=True)
class Back:
    """A phone that had lost its node has a place, its group and a voice path on another."""

    at: float
    phone: int


@dataclass(frozen=True, slots=True)
class Killed:
    """What a node that was killed had: its phones, and by group the bursts of those that were on air."""

    at: float
    phones: frozenset[int]
    bursts: dict[str, int]


@dataclass(slots=True)
class Verdict:
    """What was found."""

    double_talk: list[str] = field(default_factory=list)
    not_serial: list[str] = field(default_factory=list)
    lost_records: list[str] = field(default_factory=list)
    recovery_s: dict[str, float] = field(default_factory=dict)
    after_kill_s: dict[str, float] = field(default_factory=dict)
    by_itself_s: float = 0.0
    """What `recovery_s` comes to where nothing had happened: people pause."""
    grants: int = 0
    heard: int = 0

    @property
    def ok(self) -> bool:
        return not (self.double_talk or self.not_serial or self.lost_records)


def parted(events: Sequence[Event], at: float) -> bool:
    """Whether nodes may not reach each other at that time, or have only just met again."""
    return any(event.fault in PARTS and event.at <= at <= event.until + SETTLE_S for event in events)


def double_talk(heard: Iterable[Heard], events: Sequence[Event]) -> list[str]:
    """Times at which one group heard two talkers in turn within one burst's time: both were on air."""
    spans: dict[str, dict[tuple[int, int], list[float]]] = defaultdict(dict)
    for each in heard:
        span = spans[each.group].setdefault((each.talker, each.burst), [each.at, each.at])
        span[0], span[1] = min(span[0], each.at), max(span[1], each.at)
    found = []
    for group, bursts in spans.items():
        ordered = sorted((first, last, key) for key, (first, last) in bursts.items())
        for (_, last, one), (first, end, other) in itertools.pairwise(ordered):
            overlap = min(last, end) - first
            if overlap > TURN_S and one[0] != other[0] and not parted(events, first):
                found.append(f"{group}: {one} and {other} for {overlap:.2f} s at {first:.2f} s")
    return found


def not_serial(granted: Iterable[Granted], events: Sequence[Event]) -> list[str]:
    """Grants of one group whose burst ids do not grow in the order in which they were granted.

    Who comes back and still has the floor is told so again: that is the same grant.
    """
    newest: dict[str, Granted] = {}
    found = []
    for each in sorted(granted, key=lambda grant: grant.at):
        before = newest.get(each.group)
        again = before is not None and (each.talker, each.burst) == (before.talker, before.burst)
        if before is not None and not again and each.burst <= before.burst and each.at - before.at > TURN_S:
            if not parted(events, each.at):
                found.append(f"{each.group}: burst {each.burst} after {before.burst} at {each.at:.2f} s")
        else:
            newest[each.group] = each
    return found


def recovery(heard: Sequence[Heard], events: Sequence[Event], phones: Sequence[int]) -> dict[str, float]:
    """Per fault: how long after its end until every phone heard somebody again; they talk every second or two."""
    out = {}
    for event in events:
        firsts = []
        for phone in phones:
            after = [each.at for each in heard if each.listener == phone and each.at > event.until]
            firsts.append(min(after, default=float("inf")) - event.until)
        out[f"{event.fault.value} at {event.at:.0f} s"] = max(firsts, default=0.0)
    return out


def after_kill(
    killed: Killed, granted: Iterable[Granted], idles: Iterable[Idle], backs: Iterable[Back]
) -> dict[str, float]:
    """Seconds from the kill till the last of its floors was free, or another's, and its last phone was back."""
    free: dict[str, float] = {}
    for idle in idles:
        if idle.at > killed.at and idle.burst in (None, killed.bursts.get(idle.group)):
            free[idle.group] = min(idle.at, free.get(idle.group, idle.at))
    for grant in granted:
        if grant.at > killed.at and grant.burst > killed.bursts.get(grant.group, grant.burst):
            free[grant.group] = min(grant.at, free.get(grant.group, grant.at))
    back: dict[int, float] = {}
    for each in backs:
        if each.at > killed.at:
            back[each.phone] = min(each.at, back.get(each.phone, each.at))
    out = {}
    if killed.bursts:
        out["floors free"] = max(free.get(group, float("inf")) for group in killed.bursts) - killed.at
    if killed.phones:
        out["phones back"] = max(back.get(phone, float("inf")) for phone in killed.phones) - killed.at
    return out


def by_itself(heard: Sequence[Heard], events: Sequence[Event], phones: Sequence[int]) -> float:
    """What `recovery` says of the moments half way between the settling time and the next fault."""
    calm = []
    for before, after in itertools.pairwise(events):
        at = (before.until + after.at) / 2
        calm.append(Event(before.fault, at, at, 0))
    return max(recovery(heard, calm, phones).values(), default=0.0)
