"""The floor control server of one group (TS 24.380 §6.3.4, §6.3.5), run from the table in ``table.py``.

``handle`` is a pure function of state, input and time; it never raises on what a peer sent. Before an input is looked
at, all timers that are due have fired, and they have again when it returns: so ``deadline`` is never in the past.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from groups.floor import inputs
from groups.floor.effects import FloorEffect
from groups.floor.guards import GUARDS
from groups.floor.inputs import FloorInput
from groups.floor.moves import MOVES
from groups.floor.precedence import may_stay
from groups.floor.state import Burst, FloorState, Phase, RetryAfter
from groups.floor.table import TABLE, Row, Trigger
from groups.floor.work import Work, weakest
from groups.vocabulary import UserId

CLOCK_SLACK_MS = 1_000
"""How far ``now`` may fall behind the latest one without being a clock that was set back: nodes read it apart."""

Rules = Mapping[tuple[Phase, Trigger], tuple[Row, ...]]
Observer = Callable[[Row, Work], None]


def compile_rules(rows: Iterable[Row]) -> Rules:
    """The table, by state and trigger."""
    rules: dict[tuple[Phase, Trigger], tuple[Row, ...]] = {}
    for row in rows:
        place = (row.phase, row.trigger)
        rules[place] = (*rules.get(place, ()), row)
    return rules


RULES = compile_rules(TABLE)


def handle(state: FloorState, input: FloorInput, now: int) -> tuple[FloorState, tuple[FloorEffect, ...]]:  # noqa: A002
    """One step: the state that follows, and what the node is to do, in order. ``now`` in ms."""
    return run(RULES, state, input, now)


def deadline(state: FloorState) -> int | None:
    """When to feed `Tick`, in ms; None: nothing runs."""
    due = [at for burst in state.bursts for at, _ in _timers(burst)]
    if state.inactive_at is not None:
        due.append(state.inactive_at)
    return min(due, default=None)


def run(
    rules: Rules,
    state: FloorState,
    asked: FloorInput,
    now: int,
    observer: Observer | None = None,
) -> tuple[FloorState, tuple[FloorEffect, ...]]:
    """`handle` by the given rules; ``observer`` sees each row right after it was carried out."""
    state, now = _at(state, now)
    work = Work.open(state, now)
    _fire_due(rules, work, observer)
    work.input = asked
    for trigger, user, burst in _triggers(work, asked):
        work.subject = user
        work.about = None if burst is None else burst.burst
        _apply(rules, work, trigger, observer)
    _fire_due(rules, work, observer)
    return work.close(), tuple(work.effects)


def _apply(rules: Rules, work: Work, trigger: Trigger, observer: Observer | None) -> None:
    for row in rules.get((work.phase, trigger), ()):
        if GUARDS[row.guard](work):
            for move in row.moves:
                MOVES[move](work)
            if observer is not None:
                observer(row, work)
            return


# --- time --------------------------------------------------------------------------------------------------------


def _timers(burst: Burst) -> Iterator[tuple[int, Trigger]]:
    if burst.grace_at is not None:
        yield burst.grace_at, Trigger.T3
    if burst.answer_at is not None:
        yield burst.answer_at, Trigger.T132
    if burst.end_of_media_at is not None:
        yield burst.end_of_media_at, Trigger.T1
    if burst.limit_at is not None:
        yield burst.limit_at, Trigger.T2


def _fire_due(rules: Rules, work: Work, observer: Observer | None) -> None:
    work.input = None
    while True:
        running = [(at, order, trigger, burst) for burst in work.bursts for order, (at, trigger) in _ordered(burst)]
        due = min((entry for entry in running if entry[0] <= work.now), key=lambda entry: entry[:2], default=None)
        if due is None:
            break
        _, _, trigger, burst = due
        work.subject, work.about = burst.user, burst.burst
        work.change(burst, **{_FIELD[trigger]: None})
        _apply(rules, work, trigger, observer)
    if work.inactive_at is not None and work.inactive_at <= work.now:
        work.inactive_at = None
        work.subject = work.about = None
        _apply(rules, work, Trigger.T4, observer)


_FIELD = {
    Trigger.T1: "end_of_media_at",
    Trigger.T2: "limit_at",
    Trigger.T3: "grace_at",
    Trigger.T132: "answer_at",
}


def _ordered(burst: Burst) -> Iterator[tuple[int, tuple[int, Trigger]]]:
    return enumerate(_timers(burst))


def _at(state: FloorState, now: int) -> tuple[FloorState, int]:
    """The state as it stands at ``now``; after a clock was set back, its timers are set back with it."""
    behind = state.clock - now
    if behind <= 0:
        return state, now
    if behind <= CLOCK_SLACK_MS:
        return state, state.clock
    return (
        replace(
            state,
            clock=now,
            bursts=tuple(_earlier(burst, behind) for burst in state.bursts),
            retry=tuple(RetryAfter(entry.user, entry.until - behind) for entry in state.retry),
            inactive_at=_minus(state.inactive_at, behind),
        ),
        now,
    )


def _earlier(burst: Burst, by: int) -> Burst:
    return replace(
        burst,
        granted_at=burst.granted_at - by,
        end_of_media_at=_minus(burst.end_of_media_at, by),
        limit_at=_minus(burst.limit_at, by),
        grace_at=_minus(burst.grace_at, by),
        answer_at=_minus(burst.answer_at, by),
    )


def _minus(at: int | None, by: int) -> int | None:
    return None if at is None else at - by


# --- what an input means here ------------------------------------------------------------------------------------

Happening = tuple[Trigger, UserId | None, Burst | None]


def _triggers(work: Work, asked: FloorInput) -> list[Happening]:
    """The triggers an input pulls: one, none (it speaks of something that is over), or one for each it concerns."""
    match asked:
        case inputs.Request():
            burst = work.burst_of(asked.user)
            return [(Trigger.TALKER_REQUEST if burst else Trigger.REQUEST, asked.user, burst)]
        case inputs.Release():
            return [_release(work, asked)]
        case inputs.QueuePositionRequest():
            return [(Trigger.POSITION_REQUEST, asked.user, None)]
        case inputs.RevokeRequest():
            return [(Trigger.REVOKE_REQUEST, None, None)]
        case inputs.MediaStarted() | inputs.MediaStopped():
            return _media(work, asked)
        case inputs.MediaWithoutFloor():
            burst = work.burst_of(asked.user)
            on_air = burst is not None and burst.key == asked.key
            return [] if on_air else [(Trigger.STRAY_MEDIA, asked.user, None)]
        case inputs.Left() | inputs.Rejoined() | inputs.TierChanged():
            return _participant(work, asked)
        case inputs.Participants():
            return _everyone(work) if asked.count <= 1 else []
        case inputs.Withdraw():
            return [each for each in _everyone(work) if asked.user in (None, each[1])]
        case inputs.OptionsChanged():
            return [(Trigger.OPTIONS, None, None), *_too_many(work, asked)]
        case inputs.Tick():
            return []


def _release(work: Work, asked: inputs.Release) -> Happening:
    burst = work.burst_of(asked.user)
    if burst is not None and burst.key == asked.key and asked.burst in (None, burst.burst):
        return Trigger.TALKER_RELEASE, asked.user, burst
    waiting = next((entry for entry in work.queue if entry.user == asked.user), None)
    theirs = waiting is not None and waiting.key == asked.key
    return Trigger.RELEASE, asked.user if theirs else None, None


def _media(work: Work, asked: inputs.MediaStarted | inputs.MediaStopped) -> list[Happening]:
    burst = work.burst_of(asked.user)
    if burst is None or burst.burst != asked.burst:
        return []
    started = isinstance(asked, inputs.MediaStarted)
    return [(Trigger.MEDIA_STARTED if started else Trigger.MEDIA_STOPPED, asked.user, burst)]


def _participant(work: Work, asked: inputs.Left | inputs.Rejoined | inputs.TierChanged) -> list[Happening]:
    burst = work.burst_of(asked.user)
    waiting = next((entry for entry in work.queue if entry.user == asked.user), None)
    match asked:
        case inputs.Left(key=key):
            if burst is not None and key in (None, burst.key):
                return [(Trigger.TALKER_LEFT, asked.user, burst)]
            if waiting is not None and key in (None, waiting.key):
                return [(Trigger.LEFT, asked.user, None)]
        case inputs.Rejoined():
            trigger = Trigger.REJOINED if burst is None else Trigger.TALKER_REJOINED
            return [(trigger, asked.user, burst)]
        case inputs.TierChanged(tier=tier):
            if burst is not None and burst.tier != tier:
                return [(Trigger.TALKER_TIER, asked.user, burst), *_beside_no_more(work, asked, burst)]
            if waiting is not None and waiting.tier != tier:
                # His request counts anew: an emergency does not wait behind an ordinary talker.
                work.input = inputs.Request(
                    waiting.user,
                    waiting.key,
                    participants=2,
                    priority=waiting.priority,
                    may_preempt=waiting.may_preempt,
                    tier=tier,
                    sos=asked.sos,
                    dispatcher=waiting.dispatcher,
                )
                return [(Trigger.REQUEST, asked.user, None)]
    return []


def _beside_no_more(work: Work, asked: inputs.TierChanged, burst: Burst) -> list[Happening]:
    """Two were on air because one was in danger; when that is over, only one of them stays."""
    changed = replace(burst, tier=asked.tier, sos=asked.sos)
    return _apart(work, [changed if each is burst else each for each in work.bursts], dual=work.options.dual_floor)


def _apart(work: Work, bursts: list[Burst], *, dual: bool) -> list[Happening]:
    """Those who have to go, the weakest first, until all that are left may be on air together."""
    gone: list[Happening] = []
    while not dual and not may_stay(bursts):
        least = weakest([burst for burst in bursts if not burst.dispatcher])
        bursts = [burst for burst in bursts if burst is not least]
        gone.append((Trigger.TALKER_WITHDRAWN, least.user, work.burst_of(least.user)))
    return gone


def _everyone(work: Work) -> list[Happening]:
    """Those who wait before those who talk, so that nobody is granted only to lose it again."""
    waiting: list[Happening] = [(Trigger.WITHDRAWN, entry.user, None) for entry in work.queue]
    talking: list[Happening] = [(Trigger.TALKER_WITHDRAWN, burst.user, burst) for burst in work.bursts]
    return waiting + talking


def _too_many(work: Work, asked: inputs.OptionsChanged) -> list[Happening]:
    """Dual floor is switched off while two are on air: the overridden one goes."""
    return _apart(work, list(work.bursts), dual=asked.options.dual_floor)
