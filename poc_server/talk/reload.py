"""A floor was read whole, after a gap or an outage: routes and phones of this node follow what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.floor import effects as out
from groups.floor.state import Burst, FloorState
from groups.vocabulary import BurstEnd, RevokeCause
from poc_server.talk import floor_effects
from signaling.messages import FloorGranted

if TYPE_CHECKING:
    from poc_server.talk.talkgroup import Talkgroup


def follow(group: Talkgroup, state: FloorState) -> None:
    """End what has the floor no more, begin what has it, and tell the phones here."""
    on_air = {burst.burst: burst for burst in state.bursts}
    before = dict(group.bursts.routes)
    for number, route in before.items():
        if number in group.bursts.floorless:
            continue
        now = on_air.get(number)
        if now is None:
            _lost(group, out.BurstEnded(number, route.on_air.talker.id, route.talker_key, BurstEnd.CUT, state.clock))
        elif now.key != route.talker_key:
            group.bursts.move(number, now.key)
    for number, burst in on_air.items():
        if number not in before:
            _began(group, state, burst)
    if before and not on_air:
        floor_effects.idle(group, out.Idle(max(before), BurstEnd.CUT))


def _lost(group: Talkgroup, ended: out.BurstEnded) -> None:
    group.bursts.end(ended.burst, ended.end)
    floor_effects.revoked(group, out.Revoked(ended.user, ended.key, ended.burst, RevokeCause.OTHER, 0))


def _began(group: Talkgroup, state: FloorState, burst: Burst) -> None:
    phone = group.phones.get(burst.key)
    if phone is not None:
        left = state.options.transmit_limit_ms if burst.limit_at is None else max(0, burst.limit_at - state.clock)
        phone.send(FloorGranted(group=group.id, burst=burst.burst, duration_ms=left, from_queue=True))
    began = out.BurstBegan(
        burst.burst, burst.user, burst.key, burst.tier, burst.priority, burst.granted_at, overriding=False
    )
    group.bursts.begin(began)
    may_request = state.options.queueing or state.options.audio_cut_in
    floor_effects.taken(group, out.Taken(burst.burst, burst.user, burst.tier, may_request))
