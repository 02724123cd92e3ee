"""What holds of a floor after nodes did not see each other for a while: each knows best of its own phones.

The newest burst wins (its id is the fencing token), but over one in SOS none does. Others stay beside it where the
table of precedence has them so, and two whose tiers differ where the group has a dual floor. Who loses the floor is not
queued again: he presses. Who waits for one whose burst ended on the other node is granted at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from groups.floor import queue as queues
from groups.floor.precedence import Kind, comes_beside, kind
from groups.floor.state import Burst, FloorState


def merge(mine: FloorState, theirs: FloorState, here: Callable[[str], bool]) -> FloorState:
    """The one state. ``here`` tells whether a connection is of this node's own phones."""
    newer = mine if mine.clock > theirs.clock else theirs
    bursts = {burst.burst: burst for burst in theirs.bursts if not here(burst.key)}
    bursts |= {burst.burst: burst for burst in mine.bursts if here(burst.key)}
    kept = _kept(list(bursts.values()), newer.options.dual_floor)
    queue: queues.FloorQueue = ()
    for entry in (
        *(each for each in theirs.queue if not here(each.key)),
        *(each for each in mine.queue if here(each.key)),
    ):
        if all(entry.user != burst.user for burst in kept):
            queue = queues.put(queue, entry)
    until = {each.user: each for each in sorted((*mine.retry, *theirs.retry), key=lambda each: each.until)}
    return replace(
        newer,
        bursts=kept,
        queue=queue,
        retry=tuple(until.values()),
        last_burst=max(mine.last_burst, theirs.last_burst),
        arrivals=max(mine.arrivals, theirs.arrivals),
        # Where somebody waits T4 is over at once: nothing else would give him a floor that nobody has.
        inactive_at=None if kept else newer.clock if queue else newer.inactive_at,
    )


def _kept(bursts: list[Burst], dual: bool) -> tuple[Burst, ...]:
    kept: list[Burst] = []
    for burst in sorted(bursts, key=lambda burst: (kind(burst) is Kind.SOS, burst.burst), reverse=True):
        overridden = dual and len(kept) == 1 and burst.tier != kept[0].tier
        if overridden or comes_beside(burst, kept):
            kept.append(burst)
    return tuple(sorted(kept, key=lambda burst: burst.burst))
