"""The calls this node knows: private, first to answer, temporary groups, and those of standing groups."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from gateway.waking.notice import Notice, NoticeKind
from groups.calls import inputs as into
from groups.calls.effects import Ended
from groups.calls.state import CallEnd, CallKind, CallOptions, Part, Phase, Talking
from groups.emergency.condition import Condition
from groups.model import Group, Membership
from groups.policy import Act
from groups.vocabulary import CallId, GroupId, GroupKind, NotListening, Refusal, UserId
from poc_server.store.journal import CallEnded, CallStarted, Record
from poc_server.talk.calls.call_city import CallCity
from poc_server.talk.calls.call_facts import CallFacts
from poc_server.talk.calls.live_call import LiveCall, TalkOf
from poc_server.talk.phone import Phone
from poc_server.talk.roster import Transient
from signaling.messages import FloorRequest

if TYPE_CHECKING:
    from poc_server.talk.audit import Audit
    from poc_server.talk.burst import BurstMeta
    from poc_server.talk.conditions import Conditions

Wake = Callable[[Iterable[UserId], Notice], None]
Members = Mapping[GroupId, Mapping[UserId, Membership]]
GROUP_KINDS = {
    CallKind.PRIVATE: GroupKind.PRIVATE,
    CallKind.FIRST_TO_ANSWER: GroupKind.PRIVATE,
    CallKind.AMBIENT: GroupKind.PRIVATE,
    CallKind.GROUP: GroupKind.TEMPORARY,
    CallKind.PREARRANGED: GroupKind.PREARRANGED,
    CallKind.BROADCAST: GroupKind.BROADCAST,
}
STANDING = {GroupKind.PREARRANGED: CallKind.PREARRANGED, GroupKind.BROADCAST: CallKind.BROADCAST}
"""Kinds of standing groups that are talked in by calls."""
OF_TWO = frozenset({CallKind.PRIVATE, CallKind.FIRST_TO_ANSWER})
CALLED_AT_ONCE = 250
"""Members of a standing group called in one step: five thousand in one would hold the loop for 60 ms and more."""
_SAYS_NO = frozenset({NotListening.LOCKED, NotListening.HIDDEN, NotListening.FROZEN, NotListening.MICROPHONE_LOST})


class FarDesk(Protocol):
    """Who decides about the calls of the city, perhaps on another node (`poc_server.neighbours.desk.desk`)."""

    here: bool

    def begins_call(self, phone: Phone, message: FloorRequest) -> None:
        """A key went down in a group that is talked in by calls: one begins, and then the key counts."""


class Calls:
    """All live calls of this node.

    Attributes:
        wake: wakes people who have no phone connected.
        desk: who decides about calls, where there are several nodes.
        press_again: a key that went down before its call was up counts now.
    """

    def __init__(
        self, city: CallCity, conditions: Conditions, journal: Callable[[Record], None], audit: Audit, node: str
    ) -> None:
        self._city = city
        self._conditions = conditions
        self._journal = journal
        self._audit = audit
        self._node = node
        self.wake: Wake = lambda _users, _notice: None
        self.desk: FarDesk | None = None
        self.press_again: Callable[[Phone, FloorRequest], None] = lambda _phone, _message: None
        conditions.on_tier.append(self._tier_changed)
        self._live: dict[CallId, LiveCall] = {}
        self._of_group: dict[GroupId, LiveCall] = {}

    def __len__(self) -> int:
        return len(self._live)

    def get(self, call: str) -> LiveCall | None:
        """The live call with that id."""
        return self._live.get(CallId(call))

    def all(self) -> list[LiveCall]:
        """All of them, the newest first."""
        return sorted(self._live.values(), key=lambda live: -live.state.began_at)

    def groups(self) -> list[GroupId]:
        """The groups in which calls are talked."""
        return list(self._of_group)

    def of_group(self, group: GroupId) -> LiveCall | None:
        """The call that is talked in this group just now."""
        return self._of_group.get(group)

    # --- beginning ---------------------------------------------------------------------------------------------------

    def start(self, phone: Phone, start: into.Start, name: str = "", group: Group | None = None) -> LiveCall:
        """Begin a call of ``phone``, that of a standing ``group`` when it names one; rights were looked up before."""
        call = CallId(f"ca-{secrets.token_hex(8)}")
        facts = CallFacts(
            call,
            GroupId(call) if group is None else group.id,
            start.kind,
            phone.user,
            name if group is None else group.name,
            start.called,
            standing=group is not None,
            asked=None if start.request is None else (phone.key, start.request),
        )
        live = LiveCall(self, self._city, facts)
        if start.request is not None:
            live.answer(phone, start.request)
        self._live[live.id] = live
        self._of_group[live.group] = live
        self._city.roster.on_changed(live.group)
        if start.kind is CallKind.BROADCAST:
            self._conditions.reserve(live.group, phone.user.id)
        self._journal(
            CallStarted(
                id=live.id,
                group=live.group,
                agency=phone.user.agency,
                call_kind=GROUP_KINDS[start.kind],
                node=self._node,
                at_ms=self._city.fabric.now(),
                initiator=phone.user.id,
                tier=start.tier,
            )
        )
        live.submit(start)
        if group is None and start.kind is not CallKind.AMBIENT:
            away = [user for user in start.called if user not in start.reachable]
            self.wake(away, Notice(NoticeKind.CALL, live.id, phone.user.name, name, start.tier))
        return live

    def start_standing(self, phone: Phone, group: Group, request: str | None = None) -> LiveCall:
        """Begin the call of a prearranged or broadcast group: its members who are there are brought in."""
        members = self._city.roster.members(group.id)
        there = self.reachable(members)
        ordered = sorted(members, key=lambda user: (user not in there, user))
        rules = group.call
        options = CallOptions(hang_ms=rules.hang_ms, maximum_ms=rules.maximum_ms, least=rules.least)
        here = self._conditions.of_group(group.id)
        start = into.Start(
            kind=STANDING[group.kind],
            initiator=phone.user.id,
            key=phone.key,
            called=tuple(ordered[:CALLED_AT_ONCE]),
            reachable=there,
            tier=here,
            options=options,
            request=request,
        )
        live = self.start(phone, start, group=group)
        for at in range(CALLED_AT_ONCE, len(ordered), CALLED_AT_ONCE):
            live.submit(into.Add(tuple(ordered[at : at + CALLED_AT_ONCE]), there))
        return live

    def asked_for(self, phone: Phone, request: str, kind: CallKind, users: Iterable[UserId]) -> LiveCall | None:
        """The call that this very request began, at a desk that ended before it could say so."""
        for live in self._live.values():
            facts = live.facts
            if facts.asked == (phone.key, request) and facts.kind is kind and facts.initiator.id == phone.user.id:
                return live if {*facts.called}.issuperset(users) else None
        return None

    def crossing(self, caller: UserId, called: UserId, *, duplex: bool) -> LiveCall | None:
        """The private call, of the same kind, with which ``called`` calls ``caller`` at this moment."""
        for live in self._live.values():
            if live.kind is not CallKind.PRIVATE or live.initiator.id != called or caller not in live.called:
                continue
            if live.state.parties and live.state.options.duplex is not duplex:
                continue
            party = live.state.party(caller)
            if live.state.phase is not Phase.ENDED and (party is None or party.part in (Part.RINGING, Part.JOINED)):
                return live
        return None

    def pressed_again(self, phone: Phone, message: FloorRequest) -> None:
        """A key that went down before its call was up."""
        if phone.away is not None:
            phone.away.press(message)
        else:
            self.press_again(phone, message)

    # --- the desk (`poc_server.neighbours.desk.desk`) ----------------------------------------------------------------

    def take_up(self, facts: CallFacts) -> None:
        """This node is the desk now: it leads a call that goes on."""
        if facts.id not in self._live:
            live = self._live[facts.id] = self._of_group[facts.group] = LiveCall(self, self._city, facts)
            live.duplex.take_up()
            # Where its floor is not followed yet, that is read whole before long.
            self.floor_read(facts.group)
            if live.kind is CallKind.BROADCAST:
                self._conditions.reserve(live.group, facts.initiator.id)

    def loaded(self, live: LiveCall) -> None:
        """What is known of a call was read whole."""
        if live.state.phase is Phase.ENDED or not live.state.parties:
            self.over(live)
            live.close()
        else:
            self.set_members(live)

    def end_all(self) -> None:
        """They cannot go on."""
        for live in tuple(self._live.values()):
            live.ended(Ended(CallEnd.FORCED))

    def rest(self) -> None:
        """Another node is the desk: it leads them."""
        for live in self._live.values():
            live.close()
        self._live.clear()
        self._of_group.clear()

    # --- who is where ------------------------------------------------------------------------------------------------

    def reachable(self, users: Iterable[UserId]) -> frozenset[UserId]:
        """Those of ``users`` who have a connected phone."""
        return frozenset(phone.user.id for phone in self._city.phones.among(users) if phone.connection is not None)

    def deaf(self, users: Iterable[UserId]) -> frozenset[UserId]:
        """Those of ``users`` whose every connected phone says that it would not hear just now."""
        heard: dict[UserId, bool] = {}
        for phone in self._city.phones.among(users):
            if phone.connection is not None:
                would = phone.not_listening not in _SAYS_NO
                heard[phone.user.id] = heard.get(phone.user.id, False) or would
        return frozenset(user for user, would in heard.items() if not would)

    def busy(self, users: Iterable[UserId]) -> frozenset[UserId]:
        """Those of ``users`` who are in a private call already."""
        talking = {p.user for live in self._live.values() if live.kind in OF_TWO for p in live.state.present()}
        return frozenset(talking.intersection(users))

    def keeps(self, phone: Phone, group: GroupId) -> bool:
        """Whether a call that goes on in this group keeps a phone there."""
        live = self._of_group.get(group)
        if live is None or live.state.phase is Phase.ENDED or live.hidden_from(phone.user.id):
            return False
        party = live.state.party(phone.user.id)
        return party is not None and party.part is Part.JOINED and party.key in (None, phone.key)

    def duplex_of(self, user: UserId) -> LiveCall | None:
        """The full duplex call this user is in."""
        for live in self._live.values():
            party = live.state.party(user) if live.state.options.duplex else None
            if party is not None and party.part is Part.JOINED and live.state.phase is not Phase.ENDED:
                return live
        return None

    # --- what happens ------------------------------------------------------------------------------------------------

    def came(self, phone: Phone) -> None:
        """A phone connected: it is brought into what its user is in, or called to (late entry)."""
        user = phone.user.id
        for live in tuple(self._live.values()):
            if live.state.party(user) is not None:
                live.submit(into.Came(user, phone.key))
                live.greet(phone)
            elif live.standing and self._city.roster.membership(live.group, user) is not None:
                live.submit(into.Add((user,), frozenset({user})))

    def affiliated(self, phone: Phone, group: GroupId) -> None:
        """A phone selects a group or listens to it: who had not come into its call, or had left it, is in again."""
        live = self._of_group.get(group)
        user = phone.user.id
        if live is not None and live.standing and self._city.roster.membership(group, user) is not None:
            live.submit(into.Add((user,), frozenset({user})))

    def gone(self, phone: Phone) -> None:
        """A phone left for good; with the one he is in a call on, or his last one, its user leaves it."""
        gone = into.Gone(phone.user.id, phone.key, last=not self._city.phones.of(phone.user.id))
        for live in tuple(self._live.values()):
            live.submit(gone)

    def media(self, phone: Phone) -> None:
        """A phone has a media path, or a new one."""
        for live in self._live.values():
            live.duplex.media(phone)

    def hang_up_duplex(self, user: UserId, key: str) -> None:
        """What is more urgent than a full duplex call needs the microphone."""
        live = self.duplex_of(user)
        if live is not None:
            live.submit(into.Leave(user, key))

    def follow_bans(self) -> None:
        """Who is banned from talking is in no full duplex call but one that called him; who may again is heard."""
        for live in tuple(self._live.values()):
            if not live.state.options.duplex or live.state.phase is not Phase.RUNNING:
                continue
            for _, user, key in live.duplex.on_air():
                known = self._city.roster.user(user)
                if (known is None or known.talk_banned) and not self._conditions.in_sos(user):
                    live.submit(into.Leave(user, key))
            live.duplex.begin()

    def follow_members(self, before: Members, after: Members) -> None:
        """Who is taken from a standing group is in its call no more; who comes into it is called in."""
        for live in tuple(self._live.values()):
            if not live.standing:
                continue
            was, now = before.get(live.group, {}).keys(), after.get(live.group, {}).keys()
            for user in was - now:
                live.submit(into.Leave(user, ""))
            new = tuple(sorted(now - was))
            if new:
                live.submit(into.Add(new, self.reachable(new)))

    def _tier_changed(self, condition: Condition) -> None:
        """An emergency began or ended in a group: the maximum length of its call stands still meanwhile."""
        live = self._of_group.get(condition.group)
        if live is not None:
            live.submit(into.TierChanged(condition.tier))

    def begin(self, meta: BurstMeta) -> TalkOf | None:
        """A burst begins (`poc_server.talk.burst.BurstListener`)."""
        live = self._of_group.get(meta.group.id)
        if live is None:
            return None
        talking = Talking(meta.burst, meta.device)
        live.submit(into.BurstBegan(talking))
        return TalkOf(live, meta.talker.id, talking)

    def floor_read(self, group: GroupId) -> None:
        """The floor of a group was read whole: bursts of its call may have begun and ended unheard."""
        live, talkgroup = self._of_group.get(group), self._city.talkgroups.get(group)
        if live is not None and talkgroup is not None:
            talkgroup.bursts.end_told(self)
            here = talkgroup.bursts.here.items()
            live.submit(into.OnAir(tuple(Talking(burst, each.talker_key) for burst, each in here)))

    def set_members(self, live: LiveCall) -> None:
        """A group made for its call has those who are in it now as members."""
        if live.standing:
            return
        state = live.state
        kind = GROUP_KINDS[state.kind]
        group = Group(
            id=live.group,
            agency=live.initiator.agency,
            unit=live.initiator.unit,
            name=live.name or live.initiator.name,
            kind=kind,
            monitoring_allowed=kind is not GroupKind.PRIVATE,
        )
        listens_only = state.kind in (CallKind.BROADCAST, CallKind.AMBIENT)
        members = {
            party.user: Membership(live.group, party.user, may_talk=party.user == state.initiator or not listens_only)
            for party in state.present()
            if not live.hidden_from(party.user)
        }
        self._city.roster.put(Transient(group, members))

    def over(self, live: LiveCall) -> None:
        """Forget a call."""
        if self._live.pop(live.id, None) is None:
            return
        self._of_group.pop(live.group, None)
        if live.kind is CallKind.BROADCAST:
            self._conditions.reserve(live.group, None)
        if live.standing:
            self._city.roster.on_changed(live.group)
        else:
            self._city.roster.drop(live.group)
        end = live.state.end
        reason = "refused" if end is None else end.value
        if live.kind is CallKind.AMBIENT and live.called:
            # How long an officer was listened to is the first thing that is asked afterwards.
            detail = {"begins": False, "call": live.id, "end": reason}
            self._audit(live.initiator, Act.LISTEN_REMOTELY, "user", live.called[0], detail)
        self._journal(CallEnded(id=live.id, at_ms=self._city.fabric.now(), reason=reason))


def refusal_of(live: LiveCall | None) -> Refusal | None:
    """Why nothing can be asked of this call."""
    return Refusal.CALL_OVER if live is None or live.state.phase is Phase.ENDED else None
