"""How long it takes to work out who hears what: `python -m tools.bench.audience [listeners]`; JSON, times in ms."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass

from groups.audience import Audience
from groups.precedence import Voice
from groups.vocabulary import BurstId, GroupId, UserId


@dataclass(frozen=True)
class OnAir:
    """A burst that nobody carries."""

    group: GroupId
    burst: BurstId
    speaker: UserId
    voice: Voice = Voice.NORMAL
    number: int = 0


SLICE = 64
"""Listeners a node places before it looks after packets again."""
ROUNDS = 21


def crowd(listeners: int, groups_each: int, slots: int) -> Audience[int, OnAir]:
    """All listen to `all` in last place, and to some of 200 groups of their own before it."""
    audience: Audience[int, OnAir] = Audience()
    for key in range(listeners):
        own = [GroupId(f"g{(key + step) % 200}") for step in range(groups_each - 1)]
        audience.join(key, UserId(f"user{key}"), slots, [*own, GroupId("all")])
    return audience


def worked_off(audience: Audience[int, OnAir], group: GroupId) -> tuple[float, float, int]:
    """Place all who listen to a group, in slices: total, longest slice, changes."""
    total = longest = 0.0
    changes, keys = 0, audience.listeners(group)
    for start in range(0, len(keys), SLICE):
        began = time.perf_counter()
        for key in keys[start : start + SLICE]:
            changes += len(audience.place(key))
        took = (time.perf_counter() - began) * 1000
        total, longest = total + took, max(longest, took)
    return total, longest, changes


def measured(audience: Audience[int, OnAir], voice: Voice) -> dict[str, float]:
    """Median total and slice of a burst to all, and of its end."""
    rounds = []
    for number in range(1, ROUNDS + 1):
        on_air = OnAir(GroupId("all"), BurstId(number), UserId("leader"), voice, 200)
        audience.began(on_air)
        heard, slice_ms, changes = worked_off(audience, on_air.group)
        audience.ended(on_air.group, on_air.burst)
        over, _, _ = worked_off(audience, on_air.group)
        rounds.append((heard, slice_ms, over, changes))
    middle = [sorted(column)[ROUNDS // 2] for column in zip(*rounds, strict=True)]
    return dict(zip(("begin_ms", "slice_ms", "end_ms", "changes"), (round(value, 3) for value in middle), strict=True))


def main(listeners: int) -> dict[str, object]:
    """The three cases that matter."""
    quiet = crowd(listeners, groups_each=4, slots=2)
    busy = crowd(listeners, groups_each=16, slots=2)
    for number in range(200):
        busy.began(OnAir(GroupId(f"g{number}"), BurstId(1), UserId(f"talker{number}")))
        worked_off(busy, GroupId(f"g{number}"))
    return {
        "listeners": listeners,
        "one_burst_to_all": measured(quiet, Voice.NORMAL),
        "normal_burst_while_200_groups_talk": measured(busy, Voice.NORMAL),
        "emergency_while_200_groups_talk": measured(busy, Voice.EMERGENCY),
    }


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000), indent=1))
