"""What time and the incident ask for: its address, how far it comes forward, its lamp.

Where the case stands decides what its address should be, and one table says what that asks for. Closing is not at
once: talk may end within a hang time, then the address freezes. A frozen one leaves the directory after a time, or a
city that closes hundreds of cases a day would carry all of them for ever. While an SOS is open in the group, it is not
taken from whoever is in danger, whatever becomes of the case: that waits until the alert is over.
"""

from __future__ import annotations

from dataclasses import replace

from gateway.incidents import limits
from gateway.incidents.effects import Address, AddressChanged, BringForward, Effect, EventType, LampChanged
from gateway.incidents.incident import State
from gateway.incidents.incident_state import DEFAULT, IncidentState, Options
from gateway.incidents.rules import Attention

_WANTED: dict[State, Address] = {
    # where a case that was dispatched at least once stands → what its address should be
    State.DRAFT: Address.PARKED,
    State.REPORTED: Address.PARKED,
    State.FILED: Address.PARKED,
    State.DISPATCHED: Address.OPEN,
    State.HANDLING: Address.OPEN,
    State.FEEDBACK: Address.OPEN,
    State.SUSPENSION_ASKED: Address.OPEN,
    State.SUSPENDED: Address.PARKED,
    State.CLOSED: Address.FROZEN,
    State.EVALUATED: Address.FROZEN,
    State.VOID: Address.REMOVED,
}
_HANGS = frozenset({Address.OPEN, Address.PARKED})
"""From these an address does not freeze at once: talk may end within the hang time."""
_EVENT_OF = {
    Address.OPEN: EventType.OPENED,
    Address.PARKED: EventType.PARKED,
    Address.FROZEN: EventType.CLOSED,
    Address.REMOVED: EventType.REMOVED,
    Address.NONE: EventType.REMOVED,
}
_TALKS = frozenset({Address.OPEN, Address.CLOSING})
_NO_GROUP = frozenset({Address.NONE, Address.ARCHIVED})
HAS_MEMBERS = frozenset({Address.OPEN, Address.PARKED, Address.CLOSING, Address.FROZEN})


def deadline(state: IncidentState, now: int, options: Options = DEFAULT) -> int | None:
    """When `Tick` is due next, in ms; None: time alone changes nothing."""
    lamp = limits.next_change(state.incident, now, options.calendar)
    # A hang time that is over while an SOS is open waits for its end, not for the clock.
    freeze_at = None if state.alerts else state.freeze_at
    moments = (freeze_at, state.archive_at, state.settle_at, lamp)
    return min((moment for moment in moments if moment is not None), default=None)


def settle(state: IncidentState, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
    """Brings address, attention and lamp to what the incident and the time ask for."""
    after, effects = _settle_address(state, now, options)
    # What rests, or is over, is nobody's matter; when its work goes on it comes forward as if it were new.
    attention = options.rules.attention(after.incident) if after.address is Address.OPEN else Attention.QUIET
    if attention > state.attention and after.members:
        effects += (BringForward(after.members, attention),)
    lamp = limits.lamp(after.incident, now, options.calendar)
    if lamp is not state.lamp:
        effects += (LampChanged(lamp),)
    return replace(after, attention=attention, lamp=lamp), effects


def _settle_address(state: IncidentState, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
    wanted = _wanted(state, now)
    if state.alerts and state.address in _TALKS and wanted not in _TALKS:
        wanted = state.address
    named = AddressChanged(wanted, state.incident.name)
    if wanted is Address.FROZEN and state.archive_at is None:
        state = replace(state, archive_at=now + options.archive_ms)
    if wanted is state.address:
        renamed = wanted not in _NO_GROUP and state.name != state.incident.name
        return (replace(state, name=named.name), (named,)) if renamed else (state, ())
    after = replace(
        state,
        address=wanted,
        name=named.name,
        freeze_at=now + options.hang_ms if wanted is Address.CLOSING else None,
        archive_at=state.archive_at if wanted is Address.FROZEN else None,
        hang_ms=options.hang_ms,
        members=frozenset() if wanted in (Address.REMOVED, Address.NONE) else state.members,
        changes=state.changes + 1,
    )
    effects: tuple[Effect, ...] = (named,)
    reopened_while_hanging = state.address is Address.CLOSING and wanted is Address.OPEN
    if (told := _EVENT_OF.get(wanted)) and not reopened_while_hanging:
        effects += (after.event(told, now),)
    return after, effects


def _wanted(state: IncidentState, now: int) -> Address:
    if not state.incident.dispatched:
        return Address.NONE
    wanted = _WANTED[state.incident.state]
    if wanted is not Address.FROZEN:
        return wanted
    if state.address in _HANGS or (state.freeze_at is not None and now < state.freeze_at):
        return Address.CLOSING
    over = state.archive_at is not None and now >= state.archive_at
    return Address.ARCHIVED if over or state.address is Address.ARCHIVED else Address.FROZEN
