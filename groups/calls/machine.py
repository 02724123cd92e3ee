"""The call machine (TS 24.379): who is called, who came, when it ends. Pure; never raises on what a peer sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from groups.calls import effects as out
from groups.calls import inputs as into
from groups.calls.state import (
    Answering,
    CallEnd,
    CallKind,
    CallState,
    Part,
    Party,
    Phase,
)
from groups.vocabulary import Refusal, Tier, UserId

Step = tuple[CallState, tuple[out.CallEffect, ...]]


def handle(state: CallState, given: into.CallInput, now: int) -> Step:
    """One step: the state that follows and what the node is to do. ``now`` in ms."""
    state, due = _time(_at(state, now), now)
    state, done = _HANDLERS[type(given)](state, given, now)
    return state, (*due, *done)


def deadline(state: CallState) -> int | None:
    """When to feed `Tick`, ms; None: nothing runs."""
    if state.phase is Phase.ENDED:
        return None
    return min((at for at in (state.ring_at, state.quiet_at, state.maximum_at) if at is not None), default=None)


# --- time ------------------------------------------------------------------------------------------------------------


CLOCK_SLACK_MS = 1_000
"""How far ``now`` may fall behind the latest one without being a clock that was set back: nodes read it apart."""


def _at(state: CallState, now: int) -> CallState:
    """The state as it stands at ``now``; after a clock was set back its timers are set back with it."""
    behind = state.clock - now
    if 0 <= behind <= CLOCK_SLACK_MS or state.phase is Phase.ENDED:
        return state
    if behind < 0:
        return replace(state, clock=now)
    return replace(
        state,
        clock=now,
        began_at=state.began_at - behind,
        quiet_at=_minus(state.quiet_at, behind),
        ring_at=_minus(state.ring_at, behind),
        maximum_at=_minus(state.maximum_at, behind),
    )


def _minus(at: int | None, by: int) -> int | None:
    return None if at is None else at - by


def _time(state: CallState, now: int) -> Step:
    if state.phase is Phase.ENDED:
        return state, ()
    done: tuple[out.CallEffect, ...] = ()
    if state.ring_at is not None and state.ring_at <= now:
        silent = [replace(party, part=Part.NO_ANSWER) for party in state.pending()]
        state = replace(state.with_parties(silent), ring_at=None)
        for party in silent:
            done += (out.StopRinging(party.user, Part.NO_ANSWER, None), out.PartChanged(party.user, Part.NO_ANSWER))
        state, more = _settled(state, now)
        done += more
    if state.phase is not Phase.ENDED and state.quiet_at is not None and state.quiet_at <= now:
        state, more = _ended(state, CallEnd.INACTIVITY)
        done += more
    if state.phase is not Phase.ENDED and state.maximum_at is not None and state.maximum_at <= now:
        state, more = _ended(state, CallEnd.MAXIMUM_LENGTH)
        done += more
    return state, done


# --- beginning -------------------------------------------------------------------------------------------------------


def _start(state: CallState, given: into.Start, now: int) -> Step:
    if state.parties:
        return state, (out.Refused(given.key, given.request, Refusal.CONFLICT),)
    called = tuple(dict.fromkeys(user for user in given.called if user != given.initiator))
    if not called:
        return replace(state, phase=Phase.ENDED, end=CallEnd.UNREACHABLE), (
            out.Refused(given.key, given.request, Refusal.NOBODY_CALLED),
        )
    state = replace(
        state,
        kind=given.kind,
        initiator=given.initiator,
        tier=given.tier,
        options=given.options,
        parties=(Party(given.initiator, Part.JOINED, given.key),),
        began_at=now,
        maximum_left_ms=given.options.maximum_ms,
        maximum_at=now + given.options.maximum_ms if given.tier is Tier.NORMAL else None,
    )
    parts = {user: _first_part(given, user) for user in called}
    rings = Part.RINGING in parts.values()
    state = replace(
        state,
        parties=(state.parties[0], *(Party(user, part) for user, part in parts.items())),
        ring_at=now + given.options.ring_ms if rings else None,
    )
    done: list[out.CallEffect] = [out.Join(given.initiator, given.key)]
    for user, part in parts.items():
        if part is Part.JOINED:
            done.append(out.Join(user, None))
        elif part is Part.RINGING:
            done.append(out.Ring(user))
        done.append(out.PartChanged(user, part))
    state, more = _settled(state, now)
    return state, (*done, *more)


def _first_part(given: into.Start, user: UserId) -> Part:
    """Where one who is called stands at once. A group waits for who is not there; a private call has nobody else."""
    # The first to answer is one who answers: where all came in by themselves nobody would be the first.
    automatic = given.options.answering is Answering.AUTOMATIC and given.kind is not CallKind.FIRST_TO_ANSWER
    one = given.kind in _OF_TWO
    if user not in given.reachable:
        return Part.UNREACHABLE
    if one and user in given.busy and given.tier is Tier.NORMAL:
        return Part.BUSY
    if one and automatic and user in given.deaf:
        return Part.NOT_LISTENING
    return Part.JOINED if automatic else Part.RINGING


def _called(state: CallState, user: Any, now: int) -> Step:
    called, done = _asked_in(state, user)
    return _ringing(state.with_party(called), now), done


def _asked_in(state: CallState, user: UserId) -> tuple[Party, tuple[out.CallEffect, ...]]:
    """How one who is there is called into a call that goes on."""
    if state.options.answering is Answering.AUTOMATIC:
        return Party(user, Part.JOINED), (out.Join(user, None), out.PartChanged(user, Part.JOINED))
    return Party(user, Part.RINGING), (out.Ring(user), out.PartChanged(user, Part.RINGING))


def _ringing(state: CallState, now: int) -> CallState:
    """The time of ringing runs while somebody is rung for."""
    if state.ring_at is not None or not state.pending():
        return state
    return replace(state, ring_at=now + state.options.ring_ms)


def _settled(state: CallState, now: int) -> Step:
    """Whether the call runs, goes on ringing, or has come to nothing."""
    present = len(state.present())
    if present >= max(2, state.options.least) or (state.kind in _BEGINS_ALONE and present):
        if state.phase is Phase.SETTING_UP:
            return _quiet(replace(state, phase=Phase.RUNNING), now), (out.Running(),)
        return state, ()
    if state.pending():
        return state, ()
    if state.phase is Phase.RUNNING:
        return _ended(state, CallEnd.TOO_FEW)
    parts = {party.part for party in state.parties if party.user != state.initiator}
    if Part.JOINED in parts:
        return _ended(state, CallEnd.TOO_FEW)
    end = next((end for part, end in _CAME_TO_NOTHING if part in parts), CallEnd.TOO_FEW)
    return _ended(state, end)


_WAIT_FOR_LATE = frozenset({CallKind.GROUP, CallKind.PREARRANGED, CallKind.BROADCAST})
"""Kinds whose people come in whenever they are there (late entry, a SHALL of TS 24.379)."""
_BEGINS_ALONE = frozenset({CallKind.GROUP})
_ENDS_WITH_ONE = frozenset({CallKind.PRIVATE, CallKind.FIRST_TO_ANSWER, CallKind.AMBIENT})
_OF_TWO = frozenset({CallKind.PRIVATE, CallKind.AMBIENT})
_CAME_TO_NOTHING = (
    (Part.REFUSED, CallEnd.REFUSED),
    (Part.BUSY, CallEnd.BUSY),
    (Part.NOT_LISTENING, CallEnd.NOT_LISTENING),
    (Part.NO_ANSWER, CallEnd.NO_ANSWER),
    (Part.UNREACHABLE, CallEnd.UNREACHABLE),
)


# --- those called ----------------------------------------------------------------------------------------------------


def _accept(state: CallState, given: into.Accept, now: int) -> Step:
    party = state.party(given.user)
    if state.phase is Phase.ENDED or party is None:
        return state, (out.Refused(given.key, given.request, Refusal.CALL_OVER),)
    if party.part is Part.JOINED:
        if party.key in (None, given.key):
            return state, (out.Done(given.key, given.request),)
        return state, (out.Refused(given.key, given.request, Refusal.ANSWERED_ELSEWHERE),)
    if party.part not in (Part.RINGING, Part.CALLED):
        return state, (out.Refused(given.key, given.request, Refusal.CALL_OVER),)
    state = state.with_party(Party(given.user, Part.JOINED, given.key))
    done: tuple[out.CallEffect, ...] = (
        out.Done(given.key, given.request),
        out.StopRinging(given.user, Part.JOINED, given.key),
        out.Join(given.user, given.key),
        out.PartChanged(given.user, Part.JOINED),
    )
    if state.kind is CallKind.FIRST_TO_ANSWER:
        spared = [replace(other, part=Part.NOT_NEEDED) for other in state.pending()]
        state = state.with_parties(spared)
        for other in spared:
            done += (out.StopRinging(other.user, Part.NOT_NEEDED, None), out.PartChanged(other.user, Part.NOT_NEEDED))
    if not state.pending():
        state = replace(state, ring_at=None)
    state, more = _settled(state, now)
    return state, done + more


def _refuse(state: CallState, given: into.Refuse, now: int) -> Step:
    party = state.party(given.user)
    if state.phase is Phase.ENDED or party is None or party.part not in (Part.RINGING, Part.CALLED):
        return state, (out.Refused(given.key, given.request, Refusal.CALL_OVER),)
    state = state.with_party(Party(given.user, Part.REFUSED))
    if not state.pending():
        state = replace(state, ring_at=None)
    state, more = _settled(state, now)
    return state, (
        out.Done(given.key, given.request),
        out.StopRinging(given.user, Part.REFUSED, given.key),
        out.PartChanged(given.user, Part.REFUSED),
        *more,
    )


def _came(state: CallState, given: into.Came, now: int) -> Step:
    party = state.party(given.user)
    if state.phase is Phase.ENDED or party is None:
        return state, ()
    if party.part is Part.JOINED:
        # Who answered on one device, or called from it, is in the call on that one only.
        return state, (out.Join(given.user, given.key),) if party.key in (None, given.key) else ()
    if party.part is not Part.UNREACHABLE or state.kind not in _WAIT_FOR_LATE:
        return state, ()
    state, done = _called(state, given.user, now)
    state, more = _settled(state, now)
    return state, done + more


def _leave(state: CallState, given: into.Leave, now: int) -> Step:
    party = state.party(given.user)
    if state.phase is Phase.ENDED or party is None or party.part is not Part.JOINED:
        return state, (out.Refused(given.key, given.request, Refusal.CALL_OVER),) if given.request else ()
    done: tuple[out.CallEffect, ...] = (out.Done(given.key, given.request),) if given.request else ()
    if given.user == state.initiator and (state.phase is Phase.SETTING_UP or state.kind is CallKind.BROADCAST):
        end = CallEnd.BROADCAST_OVER if state.kind is CallKind.BROADCAST else CallEnd.CANCELLED
        state, more = _ended(state, end)
        return state, done + more
    state = state.with_party(Party(given.user, Part.LEFT))
    done += (out.Parted(given.user), out.PartChanged(given.user, Part.LEFT))
    if state.kind in _ENDS_WITH_ONE and state.phase is Phase.RUNNING:
        state, more = _ended(state, CallEnd.HUNG_UP)
    elif len(state.present()) < state.options.least and not state.pending():
        state, more = _ended(state, CallEnd.TOO_FEW)
    else:
        more = ()
    return state, done + more


def _gone(state: CallState, given: into.Gone, now: int) -> Step:
    party = state.party(given.user)
    if party is None or not (given.last or party.key == given.key):
        return state, ()
    return _leave(state, into.Leave(given.user, given.key), now)


def _add(state: CallState, given: into.Add, now: int) -> Step:
    if state.phase is Phase.ENDED:
        return state, ()
    known = {party.user: party.part for party in state.parties}
    changed: list[Party] = []
    done: list[out.CallEffect] = []
    for user in dict.fromkeys(given.users):
        if known.get(user) in (Part.JOINED, Part.RINGING):
            continue
        if user in given.reachable:
            called, more = _asked_in(state, user)
            changed.append(called)
            done += more
        else:
            changed.append(Party(user, Part.UNREACHABLE))
            done.append(out.PartChanged(user, Part.UNREACHABLE))
    state = _ringing(state.with_parties(changed), now)
    state, settled = _settled(state, now)
    return state, (*done, *settled)


# --- while it runs ---------------------------------------------------------------------------------------------------


def _burst_began(state: CallState, given: into.BurstBegan, now: int) -> Step:
    if state.phase is Phase.ENDED:
        return state, ()
    others = tuple(each for each in state.on_air if each != given.talking)
    return replace(state, on_air=(*others, given.talking), quiet_at=None), ()


def _burst_ended(state: CallState, given: into.BurstEnded, now: int) -> Step:
    if state.phase is Phase.ENDED:
        return state, ()
    state = replace(state, on_air=tuple(each for each in state.on_air if each != given.talking))
    if state.kind is CallKind.BROADCAST and given.user == state.initiator and not state.on_air:
        # The broadcast is what its initiator said in one go (TS 24.379: its release ends the call).
        return _ended(state, CallEnd.BROADCAST_OVER)
    return _quiet(state, now), ()


def _on_air(state: CallState, given: into.OnAir, now: int) -> Step:
    over = set(state.on_air).difference(given.talking)
    if state.phase is Phase.ENDED or (not over and not given.talking):
        return state, ()
    state = replace(state, on_air=given.talking)
    if over and not given.talking and state.kind is CallKind.BROADCAST:
        return _ended(state, CallEnd.BROADCAST_OVER)
    return _quiet(state, now), ()


def _quiet(state: CallState, now: int) -> CallState:
    if state.on_air or state.options.hang_ms is None or state.options.duplex:
        return replace(state, quiet_at=None)
    return replace(state, quiet_at=now + state.options.hang_ms)


def _tier(state: CallState, given: into.TierChanged, now: int) -> Step:
    if state.phase is Phase.ENDED or given.tier == state.tier:
        return state, ()
    left, at = state.maximum_left_ms, state.maximum_at
    if given.tier is Tier.NORMAL and at is None:
        at = now + left
    elif given.tier is not Tier.NORMAL and at is not None:
        left, at = max(0, at - now), None
    return replace(state, tier=given.tier, maximum_left_ms=left, maximum_at=at), (out.TierIs(given.tier),)


def _end(state: CallState, given: into.End, now: int) -> Step:
    if state.phase is Phase.ENDED:
        return state, (out.Refused(given.key, given.request, Refusal.CALL_OVER),)
    if not given.forced and given.user != state.initiator:
        return state, (out.Refused(given.key, given.request, Refusal.NOT_ALLOWED),)
    end = CallEnd.HUNG_UP if state.phase is Phase.RUNNING else CallEnd.CANCELLED
    if given.forced:
        end = CallEnd.FORCED
    state, done = _ended(state, end)
    return state, (out.Done(given.key, given.request), *done)


def _ended(state: CallState, end: CallEnd) -> Step:
    done: tuple[out.CallEffect, ...] = tuple(
        out.StopRinging(party.user, Part.NOT_NEEDED, None) for party in state.pending()
    )
    state = replace(state, phase=Phase.ENDED, end=end, quiet_at=None, ring_at=None, maximum_at=None, on_air=())
    return state, (*done, out.Ended(end))


def _nothing(state: CallState, given: into.Tick, now: int) -> Step:
    return state, ()


_HANDLERS: dict[type, Callable[[CallState, Any, int], Step]] = {
    into.Start: _start,
    into.Accept: _accept,
    into.Refuse: _refuse,
    into.Came: _came,
    into.Leave: _leave,
    into.Gone: _gone,
    into.Add: _add,
    into.BurstBegan: _burst_began,
    into.BurstEnded: _burst_ended,
    into.OnAir: _on_air,
    into.TierChanged: _tier,
    into.End: _end,
    into.Tick: _nothing,
}
