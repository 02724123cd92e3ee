"""Reads all that was granted, spoken and heard, and says what must not have been. Pure: no clock, no sockets.

Times are seconds of the run. While nodes reach each other a group never has two talkers on air, and floors are serial.
Where a fault parts them each node may have a talker of its own, and for a settling time after; on each node there is
one even then. Where nothing fails every key is answered, and every burst heard by all of its group.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tools.chaos.schedule import Event, Fault
from tools.chaos.seen import Back, Granted, Heard, Idle, Killed, Paused, Spoken, Unanswered

Place = TypeVar("Place")
Burst = tuple[int, int]
"""Talker and press."""
Span = tuple[float, float]
"""From, until."""
SETTLE_S = 5.0
"""Longest time after a fault in which what it caused may still be heard."""
TURN_S = 0.45
"""A talker's last packets and the next one's first may cross: a jitter of the network, not two floors."""
ENOUGH_PACKETS = 10
"""A burst of so many packets is heard, and found among the recordings."""
ANSWERED_S = 1.0
"""A key has its answer after so long: granted, queued or denied."""
FLOORS_FREE_S, PHONES_BACK_S = 3.0, 5.0
"""Bars of a node that was killed."""
HEARS_AGAIN_S = 5.0
"""Bar of groups that are whole again: so long after a fault a phone may hear nobody of those who would speak to it."""
PARTS = frozenset({Fault.REDIS_AWAY, Fault.REDIS_FROZEN, Fault.REDIS_EMPTY, Fault.REDIS_FULL, Fault.SLEEP})


@dataclass(slots=True)
class Verdict:
    """What was found."""

    double_talk: list[str] = field(default_factory=list)
    not_serial: list[str] = field(default_factory=list)
    lost_records: list[str] = field(default_factory=list)
    deaf: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)
    recovery_s: dict[str, float] = field(default_factory=dict)
    after_kill_s: dict[str, float] = field(default_factory=dict)
    grants: int = 0
    heard: int = 0

    @property
    def late(self) -> list[str]:
        """What was not whole again in time, or never."""
        bars = {"floors free": FLOORS_FREE_S, "phones back": PHONES_BACK_S}
        late = [f"{what}: {took:.1f} s" for what, took in self.after_kill_s.items() if took > bars[what]]
        return late + [f"{what}: {took:.1f} s" for what, took in self.recovery_s.items() if took > HEARS_AGAIN_S]

    @property
    def faults(self) -> dict[str, list[str]]:
        """What must not have been, by its kind; all empty where all is well."""
        return {
            "two talkers on air": self.double_talk,
            "floors that are not serial": self.not_serial,
            "lost records": self.lost_records,
            "bursts that somebody did not hear": self.deaf,
            "keys without an answer": self.unanswered,
            "not whole again in time": self.late,
        }

    @property
    def ok(self) -> bool:
        return not any(self.faults.values())


def parted(events: Sequence[Event], at: float) -> bool:
    """Whether nodes may not reach each other at that time, or have only just met again."""
    return any(event.fault in PARTS and event.at <= at <= event.until + SETTLE_S for event in events)


def settling(events: Sequence[Event], at: float) -> bool:
    """Whether nodes have only just met again: what each decided alone is made one."""
    return parted(events, at) and not any(event.at <= at <= event.until for event in events)


def reached(events: Sequence[Event], begin: float, end: float) -> float:
    """Seconds between these times in which nodes reach each other, and have settled."""
    apart = ((each.at, each.until + SETTLE_S) for each in events if each.fault in PARTS)
    return end - begin - sum(_common(begin, end, *each) for each in apart)


def disturbed(events: Sequence[Event], begin: float, end: float) -> bool:
    """Whether anything failed between these times, or had not settled."""
    return any(each.at <= end and begin <= each.until + SETTLE_S for each in events)


def double_talk(heard: Sequence[Heard], events: Sequence[Event]) -> list[str]:
    """Times at which a group heard two talkers for longer than a turn takes: everywhere while nodes reach each other,
    on one node also while a fault parts them."""
    found = []
    for group, one, other, begin, end in _overlaps(heard, lambda each: each.group):
        if reached(events, begin, end) > TURN_S:
            found.append(f"{group}: {one} and {other} for {end - begin:.2f} s at {begin:.2f} s")
    for (group, node), one, other, begin, end in _overlaps(heard, lambda each: (each.group, each.node)):
        alone = ((each.at, each.until) for each in events if each.fault in PARTS)
        if sum(_common(begin, end, *each) for each in alone) > TURN_S:
            found.append(f"{group} on node {node + 1}: {one} and {other} for {end - begin:.2f} s at {begin:.2f} s")
    return found


def _overlaps(
    heard: Iterable[Heard], where: Callable[[Heard], Place]
) -> Iterator[tuple[Place, Burst, Burst, float, float]]:
    """Where two of different talkers were heard at once, which two, from when to when."""
    spans: dict[Place, dict[Burst, tuple[float, float]]] = defaultdict(dict)
    for each in heard:
        here, burst = spans[where(each)], (each.talker, each.press)
        first, last = here.get(burst, (each.at, each.at))
        here[burst] = min(first, each.at), max(last, each.at)
    for place, bursts in spans.items():
        on_air: list[tuple[float, float, Burst]] = []
        for first, last, burst in sorted((*span, burst) for burst, span in bursts.items()):
            on_air = [each for each in on_air if each[1] > first]
            for _, end, other in on_air:
                if other[0] != burst[0]:
                    yield place, other, burst, first, min(last, end)
            on_air.append((first, last, burst))


def _common(begin: float, end: float, since: float, until: float) -> float:
    """Seconds that two stretches of time have in common."""
    return max(0.0, min(end, until) - max(begin, since))


def not_serial(granted: Iterable[Granted], events: Sequence[Event]) -> list[str]:
    """Grants whose burst ids do not grow in the order in which they were granted: in a group while nodes reach each
    other, on each node also while a fault parts them.

    Who comes back and still has the floor is told so again: that is the same grant. Two that come to two phones in
    nearly one moment may be noted in either order.
    """
    newest: dict[tuple[str, int | None], Granted] = {}
    found = []
    for each in sorted(granted, key=lambda grant: grant.at):
        for node in (None, each.node):
            before = newest.setdefault((each.group, node), each)
            if each.burst > before.burst:
                newest[each.group, node] = each
            elif _contradicts(each, before) and not (parted if node is None else settling)(events, each.at):
                found.append(f"{each.group}: burst {each.burst} after {before.burst} at {each.at:.2f} s")
                break
    return found


def _contradicts(each: Granted, before: Granted) -> bool:
    if each.burst == before.burst:
        return each.talker != before.talker
    return each.at - before.at > TURN_S


def deaf(
    spoken: Iterable[Spoken],
    heard: Iterable[Heard],
    backs: Iterable[Back],
    groups: Mapping[str, Sequence[int]],
    events: Sequence[Event],
) -> list[str]:
    """Phones that were there, and heard nothing of a burst of their group while nothing failed.

    ``groups``: the phones of each.
    """
    got = Counter((each.listener, each.talker, each.press) for each in heard)
    came = defaultdict(list)
    for back in backs:
        came[back.phone].append(back.at)
    found = []
    for each in spoken:
        if each.packets < ENOUGH_PACKETS or disturbed(events, each.at, each.until):
            continue
        for phone in groups[each.group]:
            there = any(at < each.at for at in came[phone])
            comes = any(each.at <= at <= each.until + SETTLE_S for at in came[phone])
            if phone != each.talker and there and not comes and not got[phone, each.talker, each.press]:
                found.append(f"{each.group}: phone {phone} of {(each.talker, each.press)} at {each.at:.2f} s")
    return found


def unanswered(keys: Iterable[Unanswered], events: Sequence[Event]) -> list[str]:
    """Keys that nobody answered though nothing failed in the time an answer may take."""
    calm = (each for each in keys if not disturbed(events, each.at, each.at + ANSWERED_S))
    return [f"{each.group}: phone {each.talker} at {each.at:.2f} s" for each in calm]


def recovery(
    heard: Sequence[Heard],
    events: Sequence[Event],
    groups: Mapping[str, Sequence[int]],
    paused: Sequence[Paused],
    spoken: Sequence[Spoken],
) -> dict[str, float]:
    """Per fault: how long after its end every phone had heard somebody again.

    Time in which nobody of its group would have spoken to it does not count: all others had their place and paused, or
    it spoke itself. Who had no place, or waited for the floor, did not pause.
    """
    out = {}
    for event in events:
        waited = [0.0]
        for members in groups.values():
            for phone in members:
                after = [each.at for each in heard if each.listener == phone and each.at > event.until]
                own = [(each.at, each.until) for each in spoken if each.talker == phone]
                others = [other for other in members if other != phone]
                pauses = [[(each.at, each.until) for each in paused if each.phone == other] for other in others]
                waited.append(_waited(event.until, min(after, default=float("inf")), own, pauses))
        out[f"{event.fault.value} at {event.at:.0f} s"] = max(waited)
    return out


def _waited(since: float, until: float, own: Sequence[Span], pauses: Sequence[Sequence[Span]]) -> float:
    """Seconds between the two in which it did not speak itself, and not all others paused."""
    if until == float("inf"):
        return until
    edges = {edge for span in itertools.chain(own, *pauses) for edge in span if since < edge < until}
    waited = 0.0
    for begin, end in itertools.pairwise(sorted({since, *edges, until})):
        silent = all(_within(begin, end, each) for each in pauses)
        if not silent and not _within(begin, end, own):
            waited += end - begin
    return waited


def _within(begin: float, end: float, spans: Iterable[Span]) -> bool:
    return any(a <= begin and end <= b for a, b in spans)


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
