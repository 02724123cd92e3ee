"""How long the steps of a call to a standing group hold a node: `python -m tools.bench.call [members]`; JSON, ms.

A step is the rules, and its state and effects as they go to Redis; what Redis and the other nodes take is not in it.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from groups.calls import inputs as into
from groups.calls.state import CallKind, CallState, Talking
from groups.vocabulary import BurstId, CallId, UserId
from poc_server.talk.calls.calls import CALLED_AT_ONCE
from poc_server.talk.machines import CALL

ROUNDS = 7


def step(state: CallState, given: Any) -> tuple[CallState, float]:
    """The state that follows, and the least of some rounds."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.perf_counter()
        after, effects = CALL.handle(state, given, 0)
        json.dumps(CALL.state_to_json(after))
        json.dumps([CALL.event_to_json(each) for each in effects])
        best = min(best, time.perf_counter() - began)
    return after, best * 1000


def main() -> None:
    members = tuple(UserId(f"us-{number:016x}") for number in range(int(sys.argv[1]) if len(sys.argv) > 1 else 5_000))
    there = frozenset(members)
    first = into.Start(CallKind.PREARRANGED, UserId("us-a"), "us-a/1", members[:CALLED_AT_ONCE], there, request="r")
    state, took = step(CallState(CallId("ca-1")), first)
    steps = [took]
    for at in range(CALLED_AT_ONCE, len(members), CALLED_AT_ONCE):
        state, took = step(state, into.Add(members[at : at + CALLED_AT_ONCE], there))
        steps.append(took)
    burst = Talking(BurstId(1), "us-a/1")
    later = {
        "a burst begins": step(state, into.BurstBegan(burst))[1],
        "one leaves": step(state, into.Leave(members[7], "k"))[1],
    }
    together = into.Start(CallKind.PREARRANGED, UserId("us-a"), "us-a/1", members, there, request="r")
    found = {
        "members": len(members),
        "steps": len(steps),
        "longest": max(steps),
        **later,
        "all in one step": step(CallState(CallId("ca-2")), together)[1],
    }
    print(json.dumps({name: round(each, 1) for name, each in found.items()}, indent=1))


if __name__ == "__main__":
    main()
