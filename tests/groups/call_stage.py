"""A call to play steps on: four people, and a call that A began."""

from __future__ import annotations

from groups.calls import effects as out
from groups.calls import inputs as into
from groups.calls.machine import handle
from groups.calls.state import Answering, CallKind, CallOptions, CallState, Talking
from groups.vocabulary import BurstId, CallId, Tier, UserId

A, B, C, D = (UserId(x) for x in "abcd")
NEW = CallState(CallId("call"))
BURST, MOVED, NEXT = Talking(BurstId(7), "a1"), Talking(BurstId(7), "a2"), Talking(BurstId(8), "b1")
RINGING = CallOptions(answering=Answering.MANUAL, ring_ms=30_000)


def started(
    kind: CallKind = CallKind.PRIVATE,
    called: tuple[UserId, ...] = (B,),
    options: CallOptions = CallOptions(),
    reachable: frozenset[UserId] | None = None,
    busy: frozenset[UserId] = frozenset(),
    tier: Tier = Tier.NORMAL,
) -> tuple[CallState, tuple[out.CallEffect, ...]]:
    there = frozenset(called) if reachable is None else reachable
    return handle(NEW, into.Start(kind, A, "a1", called, there, busy, tier, options, "r"), 0)
