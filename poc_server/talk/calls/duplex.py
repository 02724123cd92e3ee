"""Calls without a floor: in a full duplex call each one's voice is on air for the other as long as the call runs.

In remote listening (远程激活) only the one who is listened to is on air.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from groups.calls.state import CallKind, CallState, Part, Party, Phase
from groups.floor import effects as floor
from groups.model import User
from groups.vocabulary import BurstEnd, BurstId, GroupId, Tier, UserId
from poc_server.talk.clock import loop_time
from poc_server.talk.phone import Phone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from poc_server.talk.calls.call_city import CallCity
    from poc_server.talk.phones import Phones
    from poc_server.talk.talkgroup import Talkgroup

PRIORITY = 100


class Call(Protocol):
    """The call (`poc_server.talk.calls.live_call.LiveCall`)."""

    group: GroupId
    kind: CallKind
    initiator: User

    @property
    def state(self) -> CallState:
        """The machine's state."""

    @property
    def floorless(self) -> bool:
        """Whether its voices are on air as long as it runs."""


class Duplex:
    """The bursts of one such call."""

    def __init__(self, city: CallCity, call: Call) -> None:
        self._city = city
        self._call = call
        self._on_air: dict[UserId, tuple[BurstId, str]] = {}

    def on_air(self) -> list[tuple[BurstId, UserId, str]]:
        """The bursts on air: each with its user and the key of his phone."""
        return [(burst, user, key) for user, (burst, key) in self._on_air.items()]

    def take_up(self) -> None:
        """Another node led the call until now: what is on air goes on."""
        talkgroup = self._city.talkgroups.get(self._call.group)
        if talkgroup is not None:
            found = ((burst, talkgroup.bursts.here.get(burst)) for burst in talkgroup.bursts.floorless)
            self._on_air = {each.on_air.talker.id: (burst, each.talker_key) for burst, each in found if each}

    def begin(self) -> None:
        """The call runs: whoever speaks in it and is not on air yet is from now on."""
        for party in self._call.state.present():
            if party.user in self._on_air:
                continue
            phone = self._speaks_from(party) if self._speaks(party) else None
            if phone is not None:
                self._begin(phone)

    def media(self, phone: Phone) -> None:
        """A phone has a media path, or a new one: what is said in the call comes from there now."""
        known = self._on_air.get(phone.user.id)
        if known is not None and known[1] == phone.key:
            self._stop(phone.user.id)
            self._begin(phone)
        elif known is None and self._call.state.phase is Phase.RUNNING and self._call.floorless:
            # The call was up before its phone could be spoken from.
            party = self._call.state.party(phone.user.id)
            if (
                party is not None
                and party.part is Part.JOINED
                and self._speaks(party)
                and party.key in (None, phone.key)
            ):
                self._begin(phone)

    def left(self, user: UserId) -> None:
        """He is in the call no more."""
        self._stop(user)

    def end(self) -> None:
        """The call is over."""
        for user in tuple(self._on_air):
            self._stop(user)

    def _begin(self, phone: Phone) -> None:
        bursts = [burst for burst, _ in self._on_air.values()]
        burst = BurstId(max([self._city.fabric.now(), *(each + 1 for each in bursts)]))
        self._on_air[phone.user.id] = (burst, phone.key)
        began = floor.BurstBegan(
            burst, phone.user.id, phone.key, Tier.NORMAL, PRIORITY, self._city.fabric.now(), overriding=False
        )
        talkgroup = self._city.talkgroups.open(self._call.group)
        talkgroup.bursts.floorless.add(burst)
        talkgroup.bursts.begin(began, _here(phone))
        self._city.roster.on_changed(self._call.group)

    def _stop(self, user: UserId) -> None:
        burst, _ = self._on_air.pop(user, (None, ""))
        talkgroup = self._city.talkgroups.get(self._call.group)
        if burst is not None and talkgroup is not None:
            talkgroup.bursts.floorless.discard(burst)
            talkgroup.bursts.end(burst, BurstEnd.RELEASED)
            self._city.roster.on_changed(self._call.group)

    def _speaks(self, party: Party) -> bool:
        """Whoever listens remotely only listens, and so does who is banned from talking (禁呼) and was called."""
        if self._call.kind is CallKind.AMBIENT:
            return party.user != self._call.initiator.id
        user = self._city.roster.user(party.user)
        return user is not None and not user.talk_banned

    def _speaks_from(self, party: Party) -> Phone | None:
        """The phone he answered from; of several that came in by themselves the one that would hear."""
        now = loop_time()
        phones = [p for p in self._city.phones.of(party.user) if party.key in (None, p.key) and _has_path(p)]
        return min(phones, key=lambda phone: (not phone.would_hear(now), phone.key), default=None)


def follow(phones: Phones, talkgroup: Talkgroup, now: int, on_air: Mapping[BurstId, tuple[UserId, str]]) -> None:
    """Another node decides what is on air without a floor in this group: routes here follow it."""
    for burst in [each for each in talkgroup.bursts.floorless if each not in on_air]:
        talkgroup.bursts.floorless.discard(burst)
        talkgroup.bursts.end(burst, BurstEnd.RELEASED)
    for burst, (user, key) in on_air.items():
        if burst not in talkgroup.bursts.here:
            talkgroup.bursts.floorless.add(burst)
            began = floor.BurstBegan(burst, user, key, Tier.NORMAL, PRIORITY, now, overriding=False)
            # Its own phone may not have been brought in yet: that order comes after.
            phone = phones.get(key)
            talkgroup.bursts.begin(began, _here(phone))


def _here(phone: Phone | None) -> Phone | None:
    """One of this node; whose microphone is on another node speaks from there."""
    return None if phone is None or phone.away is not None else phone


def _has_path(phone: Phone) -> bool:
    """Whether it can be spoken from; of a phone of another node only that node knows."""
    return phone.peer is not None or phone.away is not None
