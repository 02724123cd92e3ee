"""One call while it lasts: a machine of `groups.calls`, and what each of its effects means for phones and groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydantic import BaseModel

from groups.calls import effects as out
from groups.calls import inputs as into
from groups.calls.state import CallKind, CallState, Phase, Talking
from groups.vocabulary import BurstEnd, DenyCause, Refusal, UserId
from poc_server.fabric.interface import LOADED
from poc_server.talk.calls.call_city import CallCity
from poc_server.talk.calls.call_facts import CallFacts
from poc_server.talk.calls.duplex import Duplex
from poc_server.talk.machines import CALL
from poc_server.talk.phone import Phone, person
from poc_server.talk.runner import Runner
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import (
    AmbientOff,
    AmbientOn,
    Call,
    CallEnded,
    CallParty,
    CallRinging,
    CallStopped,
    FloorDeny,
    FloorRequest,
    Ok,
)
from signaling.words import call_end

NAMED = 50
"""Parties that a snapshot names; of a greater call the rest only count."""
AT_ONCE = 16
"""With more present, what changed is told together, so that a thousand who come are not told a thousand times."""
TOGETHER_S = 0.5


class CallBook(Protocol):
    """Who keeps the calls (`poc_server.talk.calls.calls`)."""

    def loaded(self, live: LiveCall) -> None:
        """What is known of a call was read whole."""

    def set_members(self, live: LiveCall) -> None:
        """Others are in it now."""

    def over(self, live: LiveCall) -> None:
        """Forget it."""

    def pressed_again(self, phone: Phone, message: FloorRequest) -> None:
        """A key that went down before the call was up."""


class LiveCall:
    """One call while it lasts."""

    def __init__(self, book: CallBook, city: CallCity, facts: CallFacts) -> None:
        self.facts = facts
        self.id = facts.id
        self.group = facts.group
        self.kind = facts.kind
        self.initiator = facts.initiator
        self.name = facts.name
        self.called = facts.called
        self.standing = facts.standing
        self._asked: list[tuple[Phone, str]] = []
        self._book = book
        self._city = city
        self._presses: list[tuple[Phone, FloorRequest]] = []
        self._telling: asyncio.TimerHandle | None = None
        self._slices = Slices()
        self._members_changed = False
        self.duplex = Duplex(city, self)
        self._runner: Runner[CallState] = Runner(
            self._city.fabric, f"call:{facts.id}", CallState(facts.id), CALL, into.Tick(), self._on_effects
        )

    @property
    def state(self) -> CallState:
        """The machine's state."""
        return self._runner.state

    @property
    def floorless(self) -> bool:
        """Whether its voices are on air as long as it runs: full duplex, remote listening."""
        return self.state.options.duplex or self.kind is CallKind.AMBIENT

    def submit(self, given: into.CallInput) -> None:
        """Feed the machine."""
        self._runner.submit(given)

    def answer(self, phone: Phone, request: str) -> None:
        """Answer who asked for this call with how it stands: as soon as it exists."""
        if self.state.parties:
            phone.send(self.snapshot(request))
        else:
            self._asked.append((phone, request))

    def press(self, phone: Phone, message: FloorRequest) -> None:
        """The key went down before the call was up: asked again when it is."""
        self._presses.append((phone, message))

    def hidden_from(self, user: UserId) -> bool:
        """Whether he is in the call without being told of it (remote listening)."""
        return self.kind is CallKind.AMBIENT and user != self.initiator.id

    def snapshot(self, request: str | None = None, named: int = NAMED) -> Call:
        """How the call stands, as its people are told; so many of them are named."""
        state, user = self.state, self._city.roster.user
        return Call(
            id=request,
            call=self.id,
            group=self.group,
            kind=state.kind.value,
            name=self.name,
            by=person(self.initiator),
            tier=state.tier,
            phase="running" if state.phase is Phase.RUNNING else "setting up",
            duplex=state.options.duplex,
            parties=[
                CallParty(person=person(u), part=p.part.value) for p in state.parties[:named] if (u := user(p.user))
            ],
            people=len(state.parties),
            present=len(state.present()),
            ends_ms=state.maximum_at,
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
            duplex=state.options.duplex,
            ring_ms=state.options.ring_ms,
        )

    def greet(self, phone: Phone) -> None:
        """What a phone of this call that has just connected is told."""
        party = self.state.party(phone.user.id)
        if party is None:
            return
        if self.hidden_from(phone.user.id):
            phone.send(AmbientOn(call=self.id))
        elif party.part == "ringing":
            phone.send(self.ringing())
        elif party.part == "joined" and party.key in (None, phone.key):
            phone.send(self.snapshot())

    def _answer_asked(self) -> None:
        """A request is answered when the call exists, not when somebody has picked up."""
        asked, self._asked = self._asked, []
        for phone, request in asked:
            if self.state.parties:
                phone.send(self.snapshot(request))
            else:
                phone.refuse(Refusal.CALL_OVER, request)

    # --- effects -----------------------------------------------------------------------------------------------------

    def _on_effects(self, state: CallState, effects: Sequence[Any]) -> None:
        if LOADED in effects:
            self._book.loaded(self)
            self._answer_asked()
            return
        if state.parties and self._asked:
            self._book.set_members(self)
            self._answer_asked()
        self._members_changed = False
        for effect in effects:
            _EFFECTS[type(effect)](self, effect)
        # Who goes last ends the call: its group is gone by now, and is not made anew.
        if self._members_changed and state.phase is not Phase.ENDED:
            self._book.set_members(self)
            self._bring(effects)
        changed = any(isinstance(e, out.PartChanged | out.TierIs | out.Running) for e in effects)
        if changed and state.phase is not Phase.ENDED:
            self._tell_soon(any(isinstance(e, out.Running) for e in effects))
        if any(isinstance(effect, out.Running) for effect in effects) and state.phase is not Phase.ENDED:
            self._up()

    def _up(self) -> None:
        """The call runs: keys that went down before count now; a full duplex call is on air."""
        if self.floorless:
            self.duplex.begin()
        presses, self._presses = self._presses, []
        for phone, message in presses:
            self._book.pressed_again(phone, message)

    def _bring(self, effects: Sequence[Any]) -> None:
        joined = {effect.user: effect.key for effect in effects if isinstance(effect, out.Join)}
        if not joined:
            return
        first: list[Phone] = []
        rest: list[Phone] = []
        for phone in self._city.phones.among(joined.keys()):
            if joined[phone.user.id] in (None, phone.key):
                (first if len(first) < AT_ONCE else rest).append(phone)
        for phone in first:
            self._bring_one(phone)
        if rest:
            self._slices.add(self._bring_all(rest))

    def _bring_all(self, phones: Sequence[Phone]) -> Iterator[None]:
        for phone in phones:
            if self.state.phase is Phase.ENDED:
                return
            self._bring_one(phone)
            yield

    def _bring_one(self, phone: Phone) -> None:
        if self.hidden_from(phone.user.id):
            phone.send(AmbientOn(call=self.id))
        else:
            self._city.affiliation.bring(phone, self.group)

    def _tell_soon(self, at_once: bool) -> None:
        if at_once or len(self.state.present()) <= AT_ONCE:
            self._tell()
        elif self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TOGETHER_S, self._tell)

    def _tell(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        if self.state.phase is Phase.ENDED:
            return
        framed = frame(self.snapshot())
        present = {party.user: party.key for party in self.state.present() if not self.hidden_from(party.user)}
        phones = [p for p in self._city.phones.among(present.keys()) if present[p.user.id] in (None, p.key)]
        if len(phones) <= AT_ONCE:
            for phone in phones:
                phone.write(framed)
        else:
            self._slices.add(_written(phones, framed))

    def ring(self, effect: out.Ring) -> None:
        """All phones of the user ring."""
        message = self.ringing()
        for phone in self._city.phones.of(effect.user):
            phone.send(message)

    def stop_ringing(self, effect: out.StopRinging) -> None:
        """But the one that answered, which knows."""
        message = CallStopped(call=self.id, part=effect.part.value)
        for phone in self._city.phones.of(effect.user):
            if phone.key != effect.key:
                phone.send(message)

    def join(self, effect: out.Join) -> None:
        """The user is a member of the call's group from now on and his phones are brought into it."""
        self._members_changed = True

    def parted(self, effect: out.Parted) -> None:
        """The user's phones are let go."""
        for phone in self._city.phones.of(effect.user):
            if self.group in phone.brought:
                phone.send(CallEnded(call=self.id, group=self.group))
                self._city.affiliation.let_go(phone, self.group)
        self.duplex.left(effect.user)
        self._members_changed = True

    def told_after(self, _: out.PartChanged | out.Running) -> None:
        """Told with the snapshot that follows."""

    def tier_is(self, effect: out.TierIs) -> None:
        """Told with the snapshot that follows."""

    def ended(self, effect: out.Ended) -> None:
        """Everybody is told and let go, and a group made for the call is no more."""
        self.duplex.end()
        concerned = {party.user for party in self.state.parties}
        words: dict[str, bytes] = {}
        phones = list(self._city.phones.among(concerned))
        for phone in phones[:AT_ONCE]:
            self._let_go(phone, effect, words)
        if phones[AT_ONCE:]:
            self._slices.add(self._let_all_go(phones[AT_ONCE:], effect, words))
        for phone, message in self._presses:
            _deny(phone, message)
        self._presses.clear()
        self._book.over(self)
        self.close()

    def close(self) -> None:
        """Follow it no more."""
        self._runner.close()

    def _let_all_go(self, phones: Sequence[Phone], effect: out.Ended, words: dict[str, bytes]) -> Iterator[None]:
        for phone in phones:
            self._let_go(phone, effect, words)
            yield

    def _let_go(self, phone: Phone, effect: out.Ended, words: dict[str, bytes]) -> None:
        if self.hidden_from(phone.user.id):
            phone.send(AmbientOff(call=self.id))
            return
        brought = self.group in phone.brought
        if brought or phone.user.id == self.initiator.id:
            if phone.language not in words:
                said = call_end(effect.end.value, phone.language)
                words[phone.language] = frame(
                    CallEnded(call=self.id, group=self.group, end=effect.end.value, message=said)
                )
            phone.write(words[phone.language])
        if brought:
            self._city.affiliation.let_go(phone, self.group, gone=not self.standing)

    def done(self, effect: out.Done) -> None:
        """A request is answered."""
        phone = self._city.phones.get(effect.key)
        if phone is not None and effect.request is not None:
            phone.send(Ok(id=effect.request))

    def refused(self, effect: out.Refused) -> None:
        """A request is refused."""
        phone = self._city.phones.get(effect.key)
        if phone is not None:
            phone.refuse(effect.code, effect.request)
        if not self.state.parties:
            for waiting, message in self._presses:
                _deny(waiting, message)
            self._presses.clear()
            self._book.over(self)
            self.close()


def _written(phones: Iterable[Phone], framed: bytes) -> Iterator[None]:
    for phone in phones:
        phone.write(framed)
        yield


def _deny(phone: Phone, message: FloorRequest) -> None:
    """There is nobody to talk to (TS 24.380: cause 3)."""
    if phone.peer is not None:
        phone.peer.discard_held()
    code = Refusal.ALONE
    denied: BaseModel = FloorDeny(
        id=message.id,
        group=message.group,
        cause=DenyCause.ONLY_ONE_PARTICIPANT,
        code=code,
        message=phone.words(code),
    )
    phone.send(denied)


_EFFECTS: dict[type, Callable[[LiveCall, Any], None]] = {
    out.Ring: LiveCall.ring,
    out.StopRinging: LiveCall.stop_ringing,
    out.Join: LiveCall.join,
    out.Parted: LiveCall.parted,
    out.PartChanged: LiveCall.told_after,
    out.Running: LiveCall.told_after,
    out.TierIs: LiveCall.tier_is,
    out.Ended: LiveCall.ended,
    out.Done: LiveCall.done,
    out.Refused: LiveCall.refused,
}


@dataclass(slots=True)
class TalkOf:
    """Tells a call when somebody talks in it (`poc_server.talk.burst.BurstTap`)."""

    call: LiveCall
    talker: UserId
    talking: Talking

    def voice(self, packet: Any) -> None:
        """The call counts bursts, not packets."""

    def end(self, outcome: BurstEnd) -> None:
        """The burst is over."""
        self.call.submit(into.BurstEnded(self.talker, self.talking))
