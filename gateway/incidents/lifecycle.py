"""The incident machine: news of a case and what happens in its group, in; what becomes of the group's address, out.

Theory of operation. All news newer than a base are kept in the order of their versions and folded anew with each one
(`news.py`), so the incident never depends on the order of arrival. Effects come from comparing before and after:
where the case stands decides what its address should be, and one table says what that asks for. Closing is not at
once: talk may end within a hang time, then the address freezes. A frozen one leaves the directory after a time, or a
city that closes hundreds of cases a day would carry all of them for ever. While an SOS is open in the group, it is not
taken from whoever is in danger, whatever becomes of the case: that waits until the alert is over.

The machine is pure. It never raises on what a peer told; what changes nothing is `Discarded` with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from pydantic import JsonValue, TypeAdapter

from gateway.incidents import limits
from gateway.incidents.effects import (
    Address,
    AddressChanged,
    BringForward,
    Discarded,
    Effect,
    EventOut,
    EventType,
    LampChanged,
    LinkChanged,
    MembersChanged,
    ResolveParties,
    Rivals,
    WhyDiscarded,
)
from gateway.incidents.incident import Incident, State
from gateway.incidents.limits import Calendar, Lamp
from gateway.incidents.news import News, fold
from gateway.incidents.rules import Attention, Rules
from gateway.incidents.steps import Step
from groups.vocabulary import AlertState, GroupId, IncidentCode, UserId

HANG_MS = 600_000
"""How long after closing the group may still talk; a burst meanwhile starts it again."""
ARCHIVE_MS = 30 * 86_400_000
"""How long a frozen group stays in the directory."""
NEWS_KEPT = 256
"""News that may still be put in order; when one more comes the older half becomes the base."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator may set about incidents."""

    rules: Rules = field(default_factory=Rules)
    calendar: Calendar = field(default_factory=Calendar)
    hang_ms: int = HANG_MS
    news_kept: int = NEWS_KEPT
    archive_ms: int = ARCHIVE_MS


DEFAULT = Options()


# --- Inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewsArrived:
    """The case system told something."""

    news: News


@dataclass(frozen=True, slots=True)
class MembersResolved:
    """Who the parties are now: the answer to `ResolveParties`, and again when the directory changed."""

    users: frozenset[UserId]
    unknown: tuple[str, ...] = ()
    """Parties nobody knows."""
    near: frozenset[UserId] = frozenset()
    """Who of them is there by being near (`PartyKind.PLACE`)."""
    empty: tuple[str, ...] = ()
    """Parties that are known and are nobody just now: a unit without people, a shift nobody is on."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something was said, seen or done there. ``id`` makes it the same event however often it is told."""

    id: str
    type: EventType
    at: int
    user: UserId | None = None
    data: dict[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class Linked:
    """A dispatcher tied an existing group to the incident, or took it off again."""

    group: GroupId
    linked: bool = True


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by."""


Input = NewsArrived | MembersResolved | Happened | Linked | Tick


# --- State ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class IncidentState:
    """All there is to know of one incident.

    ``base`` is the fold of news too old to be put in order any more: of the version in ``base_order``, and before it.
    """

    base: Incident
    incident: Incident
    base_order: tuple[int, str] = (-1, "")
    news: tuple[News, ...] = ()
    address: Address = Address.NONE
    name: str = ""
    freeze_at: int | None = None
    archive_at: int | None = None
    hang_ms: int = HANG_MS
    members: frozenset[UserId] = frozenset()
    unknown: tuple[str, ...] = ()
    near: frozenset[UserId] = frozenset()
    empty: tuple[str, ...] = ()
    groups: frozenset[GroupId] = frozenset()
    round: int = 0
    """How often its work began anew (返工): what officers tapped counts within a round."""
    taps: tuple[tuple[UserId, EventType], ...] = ()
    tapped_before: frozenset[UserId] = frozenset()
    """Who tapped in an earlier round."""
    alerts: tuple[tuple[str, UserId], ...] = ()
    """SOS that are open in its group, and whose."""
    settle_at: int | None = None
    """The last of them is over: what waited for it is done at the next `Tick`."""
    attention: Attention = Attention.QUIET
    lamp: Lamp = Lamp.OFF
    changes: int = 0

    @property
    def code(self) -> IncidentCode:
        """The case's code."""
        return self.incident.code

    def to_json(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        dumped: dict[str, Any] = _adapter().dump_python(self, mode="json", exclude_defaults=True)
        return dumped

    @staticmethod
    def from_json(data: object) -> IncidentState:
        """The state again. Raises ValueError when ``data`` was not made by `to_json`."""
        return _adapter().validate_python(data)


@cache
def _adapter() -> TypeAdapter[IncidentState]:
    return TypeAdapter(IncidentState)


def new_incident(code: IncidentCode) -> IncidentState:
    """An incident nothing is known of yet."""
    nothing = Incident(code)
    return IncidentState(base=nothing, incident=nothing)


# --- The machine ----------------------------------------------------------------------------------------------------

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
}
_TALKS = frozenset({Address.OPEN, Address.CLOSING})
_NO_GROUP = frozenset({Address.NONE, Address.ARCHIVED})
_DONE = frozenset({State.FEEDBACK, State.CLOSED, State.EVALUATED, State.VOID})
_TO_BE_DONE = frozenset({State.REPORTED, State.FILED, State.DISPATCHED, State.HANDLING})
_HAS_MEMBERS = frozenset({Address.OPEN, Address.PARKED, Address.CLOSING, Address.FROZEN})


def handle(
    state: IncidentState,
    input: Input,  # noqa: A002 the house's word
    now: int,
    options: Options = DEFAULT,
) -> tuple[IncidentState, tuple[Effect, ...]]:
    """One step: the state after ``input`` at ``now`` (ms), and what it asks for, in the order to be done."""
    match input:
        case NewsArrived(news):
            return _news(state, news, now, options)
        case MembersResolved():
            return _members(state, input, now)
        case Happened():
            return _happened(state, input)
        case Linked(group, linked):
            groups = state.groups | {group} if linked else state.groups - {group}
            return replace(state, groups=groups), (LinkChanged(groups),) if groups != state.groups else ()
        case Tick():
            return _tick(state, now, options)


def deadline(state: IncidentState, now: int, options: Options = DEFAULT) -> int | None:
    """When `Tick` is due next, in ms; None: time alone changes nothing."""
    lamp = limits.next_change(state.incident, now, options.calendar)
    # A hang time that is over while an SOS is open waits for its end, not for the clock.
    freeze_at = None if state.alerts else state.freeze_at
    moments = (freeze_at, state.archive_at, state.settle_at, lamp)
    return min((moment for moment in moments if moment is not None), default=None)


def _news(state: IncidentState, news: News, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
    if news.version <= state.base_order[0]:
        return state, (Discarded(news.id, WhyDiscarded.OLD),)
    same_version = [known.id for known in state.news if known.version == news.version]
    newest_again = state.news and state.news[-1].id == news.id
    if newest_again or news.id in same_version:
        return state, (Discarded(news.id, WhyDiscarded.REPEATED),)
    rivals = tuple(Rivals(news.id, known, news.version) for known in same_version)
    ordered = sorted((*state.news, news), key=lambda one: one.order)
    base, base_order = state.base, state.base_order
    if len(ordered) > options.news_kept:
        older, ordered = _parted(ordered)
        base, base_order = fold(base, older), (older[-1].version, older[-1].id)
    told = replace(state, base=base, base_order=base_order, news=tuple(ordered), incident=fold(base, ordered))
    if _begins_anew(state.incident.state, told.incident.state) or (news.step is Step.REWORK and ordered[-1] is news):
        tapped = state.tapped_before | {user for user, _ in state.taps}
        told = replace(told, round=state.round + 1, taps=(), tapped_before=tapped)
    after, effects = _settle(told, now, options)
    redispatched = after.incident.parties != state.incident.parties
    if after.address in _HAS_MEMBERS and (redispatched or state.address not in _HAS_MEMBERS):
        # Whoever was near for the former dispatch is not for this one, unless he is now.
        after = replace(after, near=frozenset())
        effects = (*effects, ResolveParties(after.incident.parties))
    return after, (*rivals, *effects)


def _parted(ordered: list[News]) -> tuple[list[News], list[News]]:
    """The older half and the rest; what carries one version stays together, unless that is all of the newer half."""
    half = len(ordered) // 2
    ends = (at for at in range(half, len(ordered)) if ordered[at].version != ordered[at - 1].version)
    cut = next(ends, half)
    return ordered[:cut], ordered[cut:]


def _begins_anew(before: State, after: State) -> bool:
    """Whether what was done is to be done again. Not every system tells the step; some only name the state."""
    return before in _DONE and after in _TO_BE_DONE


def _tick(state: IncidentState, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
    after, effects = _settle(replace(state, settle_at=None), now, options)
    if state.settle_at is not None and after.address in _HAS_MEMBERS:
        effects += (ResolveParties(after.incident.parties),)
    return after, effects


def _settle(state: IncidentState, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
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
        members=frozenset() if wanted is Address.REMOVED else state.members,
        changes=state.changes + 1,
    )
    effects: tuple[Effect, ...] = (named,)
    reopened_while_hanging = state.address is Address.CLOSING and wanted is Address.OPEN
    if (event := _EVENT_OF.get(wanted)) and not reopened_while_hanging:
        effects += (_event(after, event, now),)
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


def _members(state: IncidentState, found: MembersResolved, now: int) -> tuple[IncidentState, tuple[Effect, ...]]:
    in_danger = {user for _, user in state.alerts} & state.members
    users = found.users | in_danger
    if state.address not in _HAS_MEMBERS:
        return state, ()
    state = replace(state, unknown=found.unknown, near=found.near, empty=found.empty)
    if users == state.members:
        return state, ()
    joined, left = users - state.members, state.members - users
    after = replace(state, members=users, changes=state.changes + 1)
    effects: tuple[Effect, ...] = (
        MembersChanged(users, joined, left),
        _event(after, EventType.MEMBERS, now, {"joined": [*sorted(joined)], "left": [*sorted(left)]}),
    )
    if joined and state.attention > Attention.QUIET and state.address is Address.OPEN:
        effects += (BringForward(joined, state.attention),)
    return after, effects


_ALERT_OVER = frozenset({AlertState.RESOLVED, AlertState.FALSE_ALARM, AlertState.CANCELLED})
_TAPS = (EventType.ACCEPTED, EventType.ON_THE_WAY, EventType.ON_SCENE, EventType.DONE)


def _happened(state: IncidentState, happened: Happened) -> tuple[IncidentState, tuple[Effect, ...]]:
    """An event to pass on. Of an officer's taps in a round only the first of each kind counts, and only forward."""
    after = state
    if happened.type in _TAPS and happened.user is not None:
        taps = dict(state.taps)
        before = taps.get(happened.user)
        if before is not None and _TAPS.index(before) >= _TAPS.index(happened.type):
            return state, (Discarded(happened.id, WhyDiscarded.NOT_LATER),)
        taps[happened.user] = happened.type
        after = replace(state, taps=tuple(sorted(taps.items())))
    if happened.type is EventType.EMERGENCY:
        after = _alert(after, happened)
    if state.freeze_at is not None and happened.type is EventType.BURST:
        after = replace(after, freeze_at=max(state.freeze_at, happened.at + state.hang_ms))
    data: dict[str, JsonValue] = dict(happened.data or {})
    if happened.user is not None:
        data["user"] = happened.user
    return after, (EventOut(happened.id, happened.type, happened.at, data),)


def _alert(state: IncidentState, happened: Happened) -> IncidentState:
    """An SOS in the group begins, goes on or ends."""
    data = happened.data or {}
    alert = str(data.get("alert", ""))
    others = tuple(each for each in state.alerts if each[0] != alert)
    if data.get("state") not in _ALERT_OVER and happened.user is not None:
        return replace(state, alerts=tuple(sorted((*others, (alert, happened.user)))), settle_at=None)
    over = len(others) < len(state.alerts) and not others
    return replace(state, alerts=others, settle_at=happened.at if over else state.settle_at)


def _event(state: IncidentState, type: EventType, at: int, data: dict[str, JsonValue] | None = None) -> EventOut:  # noqa: A002
    return EventOut(f"{state.code}/{state.changes}/{type}", type, at, data or {})
