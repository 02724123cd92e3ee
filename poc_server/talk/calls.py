"""The calls this node knows: each a machine of `groups.calls` and a transient group its people are brought into."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, get_args

from pydantic import TypeAdapter

from groups.calls import effects as out
from groups.calls import inputs as into
from groups.calls import machine
from groups.calls.state import CallKind, CallState, Party, Phase
from groups.model import Group, Membership
from groups.vocabulary import BurstEnd, CallId, GroupId, GroupKind, Refusal, Tier, UserId
from poc_server.talk.phone import Phone, person
from poc_server.talk.roster import Transient
from poc_server.talk.runner import Runner
from signaling.messages import Call, CallEnded, CallParty, CallRinging, CallStopped, Ok

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.talkgroup import BurstMeta

GROUP_KINDS = {
    CallKind.PRIVATE: GroupKind.PRIVATE,
    CallKind.FIRST_TO_ANSWER: GroupKind.PRIVATE,
    CallKind.GROUP: GroupKind.TEMPORARY,
    CallKind.BROADCAST: GroupKind.BROADCAST,
}
_KINDS = {kind.__name__: TypeAdapter(kind) for kind in get_args(out.CallEffect)}


class CallMachine:
    """The pure call machine in the form the runner and the fabric take."""

    handle = staticmethod(machine.handle)
    deadline = staticmethod(machine.deadline)

    def state_to_json(self, state: CallState) -> Any:
        """One line of JSON."""
        return state.to_json()

    def state_from_json(self, value: Any) -> CallState:
        """What `state_to_json` made."""
        return CallState.from_json(value)

    def event_to_json(self, event: Any) -> Any:
        """``[name of the effect, its fields]``."""
        return [type(event).__name__, asdict(event)]

    def event_from_json(self, value: Any) -> Any:
        """What `event_to_json` made. Raises KeyError or ValueError on anything else."""
        name, fields = value
        return _KINDS[name].validate_python(fields)


class LiveCall:
    """One call while it lasts."""

    def __init__(self, calls: Calls, call: CallId, caller: Phone, name: str, request: str | None) -> None:
        self.id = call
        self.group = GroupId(call)
        self.initiator = caller.user
        self.name = name
        self._caller = caller
        self._request = request
        self._calls = calls
        self._node = calls.node
        self._runner: Runner[CallState] = Runner(
            self._node.fabric, f"call:{call}", CallState(call), CallMachine(), into.Tick(), self._on_effects
        )

    @property
    def state(self) -> CallState:
        """The machine's state."""
        return self._runner.state

    def submit(self, given: into.CallInput) -> None:
        """Feed the machine."""
        self._runner.submit(given)

    def snapshot(self, request: str | None = None) -> Call:
        """How the call stands, as its people are told."""
        state, user = self.state, self._node.roster.user
        return Call(
            id=request,
            call=self.id,
            group=self.group,
            kind=state.kind.value,
            name=self.name,
            by=person(self.initiator),
            tier=state.tier,
            phase="running" if state.phase is Phase.RUNNING else "setting up",
            parties=[CallParty(person=person(u), part=p.part.value) for p in state.parties if (u := user(p.user))],
        )

    def ringing(self) -> CallRinging:
        """What one who is called is told."""
        state = self.state
        return CallRinging(
            call=self.id,
            kind=state.kind.value,
            name=self.name,
            by=person(self.initiator),
            tier=state.tier,
            ring_ms=state.options.ring_ms,
        )

    # --- effects -----------------------------------------------------------------------------------------------------

    def _on_effects(self, state: CallState, effects: Sequence[Any]) -> None:
        changed = False
        if state.parties and self._request is not None:
            # The request is answered when the call exists, not when somebody has picked up.
            request, self._request = self._request, None
            self._calls.set_members(self)
            self._caller.send(self.snapshot(request))
        for effect in effects:
            _EFFECTS[type(effect)](self, effect)
            changed = changed or isinstance(effect, out.PartChanged | out.TierIs | out.Running)
        if changed and state.phase is not Phase.ENDED:
            message = self.snapshot()
            for phone in self._present():
                phone.send(message)

    def _present(self) -> Iterable[Phone]:
        return [phone for party in self.state.present() for phone in self._phones(party)]

    def _phones(self, party: Party) -> list[Phone]:
        phones = self._node.phones_of(party.user)
        return phones if party.key is None else [phone for phone in phones if phone.key == party.key]

    def ring(self, effect: out.Ring) -> None:
        """All phones of the user ring."""
        message = self.ringing()
        for phone in self._node.phones_of(effect.user):
            phone.send(message)

    def stop_ringing(self, effect: out.StopRinging) -> None:
        """But the one that answered, which knows."""
        message = CallStopped(call=self.id, part=effect.part.value)
        for phone in self._node.phones_of(effect.user):
            if phone.key != effect.key:
                phone.send(message)

    def join(self, effect: out.Join) -> None:
        """The user is a member of the call's group from now on and his phones are brought into it."""
        self._calls.set_members(self)
        for phone in self._phones(Party(effect.user, key=effect.key)):
            self._node.bring(phone, self.group)

    def parted(self, effect: out.Parted) -> None:
        """The user's phones are let go."""
        message = CallEnded(call=self.id, group=self.group)
        for phone in self._node.phones_of(effect.user):
            if self.group in phone.brought:
                phone.send(message)
                self._node.let_go(phone, self.group)
        self._calls.set_members(self)

    def part_changed(self, effect: out.PartChanged) -> None:
        """Told with the snapshot that follows."""

    def running(self, effect: out.Running) -> None:
        """Told with the snapshot that follows."""

    def tier_is(self, effect: out.TierIs) -> None:
        """Told with the snapshot that follows."""

    def ended(self, effect: out.Ended) -> None:
        """Everybody is told and let go, and the group is no more."""
        message = CallEnded(call=self.id, group=self.group, end=effect.end.value)
        for party in self.state.parties:
            for phone in self._node.phones_of(party.user):
                if self.group in phone.brought or party.user == self.initiator.id:
                    phone.send(message)
                if self.group in phone.brought:
                    self._node.let_go(phone, self.group)
        self._calls.over(self)
        self._runner.close()

    def done(self, effect: out.Done) -> None:
        """A request is answered."""
        phone = self._node.phones.get(effect.key)
        if phone is not None and effect.request is not None:
            phone.send(Ok(id=effect.request))

    def refused(self, effect: out.Refused) -> None:
        """A request is refused."""
        phone = self._node.phones.get(effect.key)
        if phone is not None:
            phone.refuse(effect.code, effect.request)
        if not self.state.parties:
            self._calls.over(self)


_EFFECTS: dict[type, Callable[[LiveCall, Any], None]] = {
    out.Ring: LiveCall.ring,
    out.StopRinging: LiveCall.stop_ringing,
    out.Join: LiveCall.join,
    out.Parted: LiveCall.parted,
    out.PartChanged: LiveCall.part_changed,
    out.Running: LiveCall.running,
    out.TierIs: LiveCall.tier_is,
    out.Ended: LiveCall.ended,
    out.Done: LiveCall.done,
    out.Refused: LiveCall.refused,
}


@dataclass(slots=True)
class _TalkOf:
    """Tells a call when somebody talks in it (`poc_server.talk.talkgroup.BurstTap`)."""

    call: LiveCall
    talker: UserId

    def voice(self, packet: Any) -> None:
        """The call counts bursts, not packets."""

    def end(self, outcome: BurstEnd) -> None:
        """The burst is over."""
        self.call.submit(into.BurstEnded(self.talker))


class Calls:
    """All live calls of this node."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self._live: dict[CallId, LiveCall] = {}

    def __len__(self) -> int:
        return len(self._live)

    def get(self, call: str) -> LiveCall | None:
        """The live call with that id."""
        return self._live.get(CallId(call))

    def start(self, phone: Phone, start: into.Start, name: str = "") -> LiveCall:
        """Begin a call of ``phone``; rights were looked up before."""
        live = LiveCall(self, CallId(f"ca-{secrets.token_hex(8)}"), phone, name, start.request)
        self._live[live.id] = live
        live.submit(start)
        return live

    def reachable(self, users: Iterable[UserId]) -> frozenset[UserId]:
        """Those of ``users`` who have a connected phone."""
        wanted = set(users)
        return frozenset(
            phone.user.id
            for phone in self.node.phones.values()
            if phone.user.id in wanted and phone.connection is not None
        )

    def busy(self, users: Iterable[UserId]) -> frozenset[UserId]:
        """Those of ``users`` who are in a private call already."""
        private = (CallKind.PRIVATE, CallKind.FIRST_TO_ANSWER)
        talking = {p.user for live in self._live.values() if live.state.kind in private for p in live.state.present()}
        return frozenset(talking.intersection(users))

    def came(self, phone: Phone) -> None:
        """A phone connected: it is brought into what its user is in, or called to (late entry)."""
        for live in tuple(self._live.values()):
            party = live.state.party(phone.user.id)
            if party is None:
                continue
            live.submit(into.Came(phone.user.id, phone.key))
            if live.state.phase is not Phase.ENDED:
                phone.send(live.ringing() if party.part == "ringing" else live.snapshot())

    def gone(self, phone: Phone) -> None:
        """A phone left for good; with his last one its user leaves his calls."""
        if not self.node.phones_of(phone.user.id):
            for live in tuple(self._live.values()):
                live.submit(into.Leave(phone.user.id, phone.key))

    def begin(self, meta: BurstMeta) -> _TalkOf | None:
        """A burst begins (`poc_server.talk.talkgroup.BurstListener`)."""
        live = self.get(meta.group.id)
        if live is None:
            return None
        live.submit(into.BurstBegan())
        return _TalkOf(live, meta.talker.id)

    def set_members(self, live: LiveCall) -> None:
        """The call's group has those who are in it now as members."""
        state = live.state
        group = Group(
            id=live.group,
            agency=live.initiator.agency,
            unit=live.initiator.unit,
            name=live.name or live.initiator.name,
            kind=GROUP_KINDS[state.kind],
        )
        only_initiator = state.kind is CallKind.BROADCAST
        members = {
            party.user: Membership(live.group, party.user, may_talk=party.user == state.initiator or not only_initiator)
            for party in state.present()
        }
        self.node.roster.put(Transient(group, members))

    def over(self, live: LiveCall) -> None:
        """Forget a call."""
        self._live.pop(live.id, None)
        self.node.roster.drop(live.group)

    def tier_of(self, group: GroupId) -> Tier:
        """The tier of the call whose group this is."""
        live = self.get(group)
        return live.state.tier if live is not None else Tier.NORMAL


def refusal_of(live: LiveCall | None) -> Refusal | None:
    """Why nothing can be asked of this call."""
    return Refusal.CALL_OVER if live is None or live.state.phase is Phase.ENDED else None
