"""What officers tapped counts within a round of work; a rework (返工) begins the next, in which it is all to do again.

A rework that is taken back never was: the round it ended goes on with what was tapped in it, and with what was tapped
since, each officer as far as he ever came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from gateway.incidents.effects import EventType
from gateway.incidents.incident import State
from gateway.incidents.incident_state import IncidentState, RoundOver, Taps
from gateway.incidents.news import News
from gateway.incidents.steps import Step

TAPS = (EventType.ACCEPTED, EventType.ON_THE_WAY, EventType.ON_SCENE, EventType.DONE)
"""An officer's taps, from the first to the last."""
_DONE = frozenset({State.FEEDBACK, State.CLOSED, State.EVALUATED, State.VOID})
_TO_BE_DONE = frozenset({State.REPORTED, State.FILED, State.DISPATCHED, State.HANDLING})


def after(before: IncidentState, told: IncidentState, by: News) -> IncidentState:
    """``told``, which is ``before`` with ``by``; in a round of its own if that begins one."""
    # Not every system tells the step: some only name the state.
    anew = before.incident.state in _DONE and told.incident.state in _TO_BE_DONE
    if not anew and not (by.step is Step.REWORK and told.news[-1:] == (by,)):
        return told
    over = (*_open_to_change(told), RoundOver((by.version, by.id), told.taps))
    tapped = told.tapped_before | {user for user, _ in told.taps}
    return replace(told, round=told.round + 1, taps=(), tapped_before=tapped, rounds=over)


def without(state: IncidentState, wrong: Iterable[News]) -> IncidentState:
    """``state`` as if these had begun no round. Its number stays: no tap is ever told under the id of another."""
    taken = {(one.version, one.id) for one in wrong}
    kept: list[RoundOver] = []
    given_back: Taps = ()
    for over in state.rounds:
        taps = _farthest(given_back, over.taps)
        if over.by in taken:
            given_back = taps
        else:
            kept.append(replace(over, taps=taps))
            given_back = ()
    return replace(state, rounds=tuple(kept), taps=_farthest(given_back, state.taps))


def _open_to_change(state: IncidentState) -> tuple[RoundOver, ...]:
    """The rounds behind the last one that can never be taken back: what was tapped before it is over for good."""
    known = {(one.version, one.id) for one in state.news}
    settled = max((at + 1 for at, each in enumerate(state.rounds) if each.by not in known), default=0)
    return state.rounds[settled:]


def _farthest(one: Taps, other: Taps) -> Taps:
    """As far as each came in either."""
    found = dict(one)
    for user, tap in other:
        found[user] = max(found.get(user, tap), tap, key=TAPS.index)
    return tuple(sorted(found.items()))
