"""The incident machine: news of a case and what happens in its group, in; what becomes of the group's address, out.

All news newer than a base are kept in the order of their versions and folded anew with each one
(`gateway.incidents.news`), so the incident never depends on the order of arrival. Effects come from comparing before
and after (`gateway.incidents.settling`).

The machine is pure. It never raises on what a peer told; what changes nothing is `Discarded` with its reason.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pydantic import JsonValue

from gateway.incidents import rounds
from gateway.incidents.effects import (
    Address,
    BringForward,
    Discarded,
    Effect,
    EventOut,
    EventType,
    LinkChanged,
    MembersChanged,
    ResolveParties,
    Rivals,
    WhyDiscarded,
)
from gateway.incidents.incident_state import DEFAULT, IncidentState, Options
from gateway.incidents.news import News, fold
from gateway.incidents.rounds import TAPS
from gateway.incidents.rules import Attention
from gateway.incidents.settling import HAS_MEMBERS, settle
from groups.vocabulary import AlertState, GroupId, UserId

# --- Inputs ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewsArrived:
    """The case system told something."""

    news: News


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What was told with this version was wrong, and counts no more; told again it is known.

    ``id``: which of several that carry it; empty: all of them.
    """

    version: int
    id: str = ""


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


Input = NewsArrived | TakenBack | MembersResolved | Happened | Linked | Tick


# --- The machine ----------------------------------------------------------------------------------------------------


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
        case TakenBack():
            return _taken_back(state, input, now, options)
        case MembersResolved():
            return _members(state, input, now)
        case Happened():
            return _happened(state, input)
        case Linked(group, linked):
            groups = state.groups | {group} if linked else state.groups - {group}
            return replace(state, groups=groups), (LinkChanged(groups),) if groups != state.groups else ()
        case Tick():
            return _tick(state, now, options)


def _news(state: IncidentState, news: News, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
    if (news.version, news.id) in state.taken_back:
        return state, (Discarded(news.id, WhyDiscarded.TAKEN_BACK),)
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
    after, effects = _folded(state, rounds.after(state, told, news), now, options)
    return after, (*rivals, *effects)


def _taken_back(
    state: IncidentState, back: TakenBack, now: int, options: Options
) -> tuple[IncidentState, tuple[Effect, ...]]:
    wrong = [one for one in state.news if one.version == back.version and back.id in ("", one.id)]
    if not wrong:
        return state, (Discarded(back.id or str(back.version), WhyDiscarded.UNKNOWN),)
    kept = tuple(one for one in state.news if one not in wrong)
    known = (*state.taken_back, *((one.version, one.id) for one in wrong))[-options.news_kept :]
    told = replace(state, news=kept, taken_back=known, incident=fold(state.base, kept))
    return _folded(state, rounds.without(told, wrong), now, options)


def _folded(
    state: IncidentState, told: IncidentState, now: int, options: Options
) -> tuple[IncidentState, tuple[Effect, ...]]:
    """What comes of an incident that is told otherwise than it was in ``state``."""
    after, effects = settle(told, now, options)
    redispatched = after.incident.parties != state.incident.parties
    if after.address in HAS_MEMBERS and (redispatched or state.address not in HAS_MEMBERS):
        # Whoever was near for the former dispatch is not for this one, unless he is now.
        after = replace(after, near=frozenset())
        effects = (*effects, ResolveParties(after.incident.parties))
    return after, effects


def _parted(ordered: list[News]) -> tuple[list[News], list[News]]:
    """The older half and the rest; what carries one version stays together, unless that is all of the newer half."""
    half = len(ordered) // 2
    ends = (at for at in range(half, len(ordered)) if ordered[at].version != ordered[at - 1].version)
    cut = next(ends, half)
    return ordered[:cut], ordered[cut:]


def _tick(state: IncidentState, now: int, options: Options) -> tuple[IncidentState, tuple[Effect, ...]]:
    after, effects = settle(replace(state, settle_at=None), now, options)
    if state.settle_at is not None and after.address in HAS_MEMBERS:
        effects += (ResolveParties(after.incident.parties),)
    return after, effects


def _members(state: IncidentState, found: MembersResolved, now: int) -> tuple[IncidentState, tuple[Effect, ...]]:
    in_danger = {user for _, user in state.alerts} & state.members
    users = found.users | in_danger
    if state.address not in HAS_MEMBERS:
        return state, ()
    state = replace(state, unknown=found.unknown, near=found.near, empty=found.empty)
    if users == state.members:
        return state, ()
    joined, left = users - state.members, state.members - users
    after = replace(state, members=users, changes=state.changes + 1)
    effects: tuple[Effect, ...] = (
        MembersChanged(users, joined, left),
        after.event(EventType.MEMBERS, now, {"joined": [*sorted(joined)], "left": [*sorted(left)]}),
    )
    if joined and state.attention > Attention.QUIET and state.address is Address.OPEN:
        effects += (BringForward(joined, state.attention),)
    return after, effects


_ALERT_OVER = frozenset({AlertState.RESOLVED, AlertState.FALSE_ALARM, AlertState.CANCELLED})


def _happened(state: IncidentState, happened: Happened) -> tuple[IncidentState, tuple[Effect, ...]]:
    """An event to pass on. Of an officer's taps in a round only the first of each kind counts, and only forward."""
    after = state
    if happened.type in TAPS and happened.user is not None:
        taps = dict(state.taps)
        before = taps.get(happened.user)
        if before is not None and TAPS.index(before) >= TAPS.index(happened.type):
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
