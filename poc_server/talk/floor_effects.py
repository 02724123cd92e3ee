"""What each effect of the floor machine means on this node: messages to phones, media routes opened and closed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from groups.floor import effects as out
from groups.floor.state import Burst, FloorState
from groups.vocabulary import BurstEnd, DenyCause, Refusal, RevokeCause
from poc_server.fabric.interface import LOADED
from poc_server.talk.phone import person
from signaling.messages import FloorDeny, FloorGranted, FloorIdle, FloorQueued, FloorRevoke, FloorTaken, Ok

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup

DENIALS = {
    DenyCause.ANOTHER_HAS_FLOOR: Refusal.FLOOR_TAKEN,
    DenyCause.INTERNAL_ERROR: Refusal.INTERNAL,
    DenyCause.ONLY_ONE_PARTICIPANT: Refusal.ALONE,
    DenyCause.RETRY_AFTER: Refusal.RETRY_LATER,
    DenyCause.RECEIVE_ONLY: Refusal.RECEIVE_ONLY,
    DenyCause.NO_RESOURCES: Refusal.NO_RESOURCES,
    DenyCause.QUEUE_FULL: Refusal.QUEUE_FULL,
    DenyCause.OTHER: Refusal.NOT_ALLOWED,
}
"""The word for each deny cause."""


def granted(group: Talkgroup, effect: out.Granted) -> None:
    """The talker is told first, before anybody else."""
    phone = group.phones.get(effect.key)
    if phone is not None:
        phone.answer(
            FloorGranted(
                id=effect.request,
                group=group.named(effect.key),
                burst=effect.burst,
                duration_ms=effect.duration_ms,
                from_queue=effect.from_queue,
            )
        )
        group.answered(phone, "immediate")


def burst_began(group: Talkgroup, effect: out.BurstBegan) -> None:
    """The media route opens."""
    group.bursts.begin(effect)


def burst_moved(group: Talkgroup, effect: out.BurstMoved) -> None:
    """The talker came back on another connection: the burst goes on from its media path."""
    group.bursts.move(effect.burst, effect.key)


def burst_ended(group: Talkgroup, effect: out.BurstEnded) -> None:
    """The media route closes."""
    group.bursts.end(effect.burst, effect.end)


def taken(group: Talkgroup, effect: out.Taken) -> None:
    """All but the talker learn who has the floor."""
    group.bursts.retier(effect.burst, effect.tier)
    user = group.user(effect.user)
    if user is None:
        return
    by = person(user)

    def message(may_request: bool) -> Callable[[Phone], bytes]:
        return group.told_as(
            lambda name: FloorTaken(group=name, burst=effect.burst, by=by, tier=effect.tier, may_request=may_request)
        )

    may, may_not = message(effect.may_request), message(False)
    group.tell_each(
        lambda phone: may(phone) if group.may_talk(phone) else may_not(phone), but=group.bursts.talker_key(effect.burst)
    )


def idle(group: Talkgroup, effect: out.Idle) -> None:
    """All learn that nobody has the floor."""
    group.tell_each(group.told_as(lambda name: FloorIdle(group=name, burst=effect.burst or None, end=effect.end)))


def denied(group: Talkgroup, effect: out.Denied) -> None:
    """Nothing that was sent with the refused request is heard later."""
    phone = group.phones.get(effect.key)
    if phone is not None:
        _forget_held(phone)
        group.answered(phone, "denied")
        code = DENIALS[effect.cause]
        phone.answer(
            FloorDeny(
                id=effect.request,
                group=group.named(effect.key),
                cause=effect.cause,
                code=code,
                message=phone.words(code),
                retry_after_ms=effect.retry_after_ms,
            )
        )


def queued(group: Talkgroup, effect: out.Queued) -> None:
    """While one waits nothing is held; the phone sends again at the grant."""
    phone = group.phones.get(effect.key)
    if phone is not None:
        _forget_held(phone)
        group.answered(phone, "queued")
        named = group.named(effect.key)
        phone.answer(FloorQueued(id=effect.request, group=named, position=effect.position, size=effect.size))


def revoked(group: Talkgroup, effect: out.Revoked) -> None:
    """The talker learns that his floor ends, and when."""
    phone = group.phones.get(effect.key)
    if phone is not None:
        named = group.named(effect.key)
        phone.answer(FloorRevoke(group=named, burst=effect.burst, cause=effect.cause, grace_ms=effect.grace_ms))


def acknowledged(group: Talkgroup, effect: out.Acknowledged) -> None:
    """Done, and nothing else to say."""
    phone = group.phones.get(effect.key)
    if phone is not None and effect.request is not None:
        phone.send(Ok(id=effect.request))


def refused(group: Talkgroup, effect: out.Refused) -> None:
    """It cannot be done."""
    phone = group.phones.get(effect.key)
    if phone is not None:
        phone.refuse(effect.code, effect.request)


def inactive(group: Talkgroup, effect: out.Inactive) -> None:
    """T4: a chat group has no call to end; calls that can end follow it themselves."""


def _forget_held(phone: Phone) -> None:
    if phone.peer is not None:
        phone.peer.discard_held()


EFFECTS: dict[type, Callable[[Any, Any], None]] = {
    out.Granted: granted,
    out.BurstBegan: burst_began,
    out.BurstMoved: burst_moved,
    out.BurstEnded: burst_ended,
    out.Taken: taken,
    out.Idle: idle,
    out.Denied: denied,
    out.Queued: queued,
    out.Revoked: revoked,
    out.Acknowledged: acknowledged,
    out.Refused: refused,
    out.Inactive: inactive,
}


def carry_out(group: Talkgroup, state: FloorState, effects: Sequence[Any]) -> None:
    """What the floor machine said, on this node or on another, in order."""
    for effect in effects:
        if effect is LOADED:
            _reloaded(group, state)
        else:
            EFFECTS[type(effect)](group, effect)


def _reloaded(group: Talkgroup, state: FloorState) -> None:
    """The floor was read whole, after a gap or an outage: routes and phones of this node follow what is there."""
    on_air = {burst.burst: burst for burst in state.bursts}
    before = dict(group.bursts.here)
    for number, known in before.items():
        if number in group.bursts.floorless:
            continue
        now = on_air.get(number)
        if now is None:
            _lost(group, out.BurstEnded(number, known.on_air.talker.id, known.talker_key, BurstEnd.CUT, state.clock))
        elif now.key != known.talker_key:
            group.bursts.move(number, now.key)
    for number, burst in on_air.items():
        if number not in before:
            _began(group, state, burst)
    if before and not on_air:
        idle(group, out.Idle(max(before), BurstEnd.CUT))
    group.read()


def _lost(group: Talkgroup, ended: out.BurstEnded) -> None:
    group.bursts.end(ended.burst, ended.end)
    revoked(group, out.Revoked(ended.user, ended.key, ended.burst, RevokeCause.OTHER, 0))


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
    taken(group, out.Taken(burst.burst, burst.user, burst.tier, may_request))
