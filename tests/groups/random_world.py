"""A small city in which anything may happen at any time: calls, floors and audiences together, step by random step.

What may happen is in `tests.groups.random_acts`. What must always hold is asked after every step; what must hold in the
end, when everybody has fallen silent.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from groups.audience import Audience
from groups.calls import effects as call_out
from groups.calls import inputs as call_in
from groups.calls import machine as calls
from groups.calls.state import CallState, Part, Phase, Talking
from groups.floor import effects as floor_out
from groups.floor import inputs as floor_in
from groups.floor import machine as floors
from groups.floor.state import FloorState
from groups.precedence import voice_of
from groups.vocabulary import BurstId, CallId, GroupId, RevokeCause, Tier, UserId
from tests.groups.random_people import DISPATCHER, SILENT, SLOTS, STANDING, USERS, OnAir, Phone
from tests.groups.random_watch import Watch


class World:
    """Everything, and the one clock. What its machines decide is done here, in the order in which a node does it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 1_000_000_000_000
        self.serial = 0
        self.patched: dict[GroupId, GroupId] = {}
        self.phones = [Phone(f"{user}/{n}", user) for user in USERS for n in range(1 + (user == USERS[0]))]
        self.phones.append(Phone(f"{DISPATCHER}/0", DISPATCHER))
        self.by_key = {phone.key: phone for phone in self.phones}
        self.floors = {group: FloorState(options=options) for group, (_, options) in STANDING.items()}
        self.calls: dict[CallId, CallState] = {}
        self.on_air: dict[GroupId, dict[BurstId, OnAir]] = {group: {} for group in STANDING}
        self.audience: Audience[str, OnAir] = Audience()
        self.tiers: dict[UserId, Tier] = {}
        self.unled: set[CallId] = set()
        self.waiting: deque[tuple[Callable[[Any, Any], None], Any, Any]] = deque()
        self.working = False
        self.ended = self.granted = 0
        self.watch = Watch(self)
        for phone in self.phones:
            self.audience.join(phone.key, phone.user, SLOTS)
            phone.patched = self.patched
            phone.selected = next((g for g, (members, _) in STANDING.items() if phone.user in members), None)
            self.follow(phone)

    # --- what it means -----------------------------------------------------------------------------------------------

    def floor(self, group: GroupId, given: floor_in.FloorInput) -> None:
        """Feed a floor machine; what follows is fed after, never in the middle: as the runners of a node do."""
        self.waiting.append((self._floor, group, given))
        self.work()

    def feed(self, call: CallId, given: call_in.CallInput) -> None:
        self.waiting.append((self._feed, call, given))
        self.work()

    def work(self) -> None:
        if self.working:
            return
        self.working = True
        while self.waiting:
            machine, key, given = self.waiting.popleft()
            machine(key, given)
        self.working = False

    def lead(self, call: CallId) -> None:
        self.unled.discard(call)
        self.feed(call, call_in.OnAir(tuple(Talking(burst, "key") for burst in self.on_air[GroupId(call)])))

    def tick(self) -> None:
        for group in tuple(self.floors):
            self.floor(group, floor_in.Tick())
        for call in tuple(self.calls):
            self.feed(call, call_in.Tick())

    def _floor(self, group: GroupId, given: floor_in.FloorInput) -> None:
        state = self.floors.get(group)
        if state is None:
            return
        self.floors[group], effects = floors.handle(state, given, self.now)
        for effect in effects:
            if isinstance(effect, floor_out.BurstBegan):
                self.began(group, effect)
            elif isinstance(effect, floor_out.BurstEnded):
                self.over(group, effect.burst, effect.user)

    def began(self, group: GroupId, effect: floor_out.BurstBegan) -> None:
        self.granted += 1
        voice = voice_of(effect.tier)
        on_air = OnAir(group, effect.burst, effect.user, voice, effect.priority)
        assert effect.burst not in self.on_air[group]
        self.on_air[group][effect.burst] = on_air
        self.audience.began(on_air)
        self.place(self.audience.listeners(group))
        if CallId(group) in self.calls:
            self.call_hears(CallId(group), call_in.BurstBegan(Talking(effect.burst, "key")))

    def over(self, group: GroupId, burst: BurstId, user: UserId) -> None:
        del self.on_air[group][burst]
        self.audience.ended(group, burst)
        self.place(self.audience.listeners(group))
        if CallId(group) in self.calls:
            self.call_hears(CallId(group), call_in.BurstEnded(user, Talking(burst, "key")))

    def call_hears(self, call: CallId, given: call_in.BurstBegan | call_in.BurstEnded) -> None:
        """While its desk moves a call hears nothing."""
        if call not in self.unled:
            self.feed(call, given)

    def _feed(self, call: CallId, given: call_in.CallInput) -> None:
        state = self.calls.get(call)
        if state is None:
            return
        self.calls[call], effects = calls.handle(state, given, self.now)
        for effect in effects:
            if isinstance(effect, call_out.Join):
                self.bring(call, effect.user, effect.key)
            elif isinstance(effect, call_out.Parted):
                self.let_go(call, effect.user)
            elif isinstance(effect, call_out.Ended):
                self.gone(call)
        if call in self.calls and not self.calls[call].parties:
            self.gone(call)

    def bring(self, call: CallId, user: UserId, key: str | None) -> None:
        for phone in self.phones:
            if phone.user == user and key in (None, phone.key) and phone.here:
                phone.brought = (GroupId(call), *(g for g in phone.brought if g != call))
                self.follow(phone)

    def let_go(self, call: CallId, user: UserId | None) -> None:
        for phone in self.phones:
            if call in phone.brought and user in (None, phone.user):
                phone.brought = tuple(g for g in phone.brought if g != call)
                self.floor(GroupId(call), floor_in.Left(phone.user, phone.key))
                self.follow(phone)
            elif user is None and call in phone.monitors:
                phone.monitors = tuple(g for g in phone.monitors if g != call)
                self.floor(GroupId(call), floor_in.Left(phone.user, phone.key))
                self.follow(phone)

    def gone(self, call: CallId) -> None:
        self.ended += 1
        state = self.calls.pop(call)
        assert state.phase is Phase.ENDED
        assert calls.deadline(state) is None
        self.floor(GroupId(call), floor_in.Withdraw(None, RevokeCause.OTHER))
        self.let_go(call, None)
        self.waiting.append((self.forget, GroupId(call), None))

    def forget(self, group: GroupId, _: None) -> None:
        """Its group is no more when all that was still to be done in it is done."""
        assert not self.floors.pop(group).bursts
        assert not self.on_air.pop(group)

    def follow(self, phone: Phone) -> None:
        if phone.here:
            self.audience.listen(phone.key, phone.groups())
            self.place((phone.key,))

    def place(self, keys: Iterable[str]) -> None:
        for key in keys:
            phone = self.by_key[key]
            for change in self.audience.place(key):
                assert phone.slots[change.slot] is change.before, "a slot is taken from what it carries"
                phone.slots = (*phone.slots[: change.slot], change.now, *phone.slots[change.slot + 1 :])

    # --- small things ------------------------------------------------------------------------------------------------

    def members(self, group: GroupId) -> frozenset[UserId]:
        if group in STANDING:
            return frozenset(STANDING[group][0])
        joined = [each for each, patch in self.patched.items() if patch == group]
        if joined:
            return frozenset(user for each in joined for user in STANDING[each][0])
        state = self.calls.get(CallId(group))
        return frozenset() if state is None else frozenset(p.user for p in state.parties if p.part is Part.JOINED)

    def anyone(self) -> Phone:
        return self.random.choice(self.phones)

    def any_of(self, items):  # type: ignore[no-untyped-def]
        return self.random.choice(items) if items else None

    def number(self) -> int:
        self.serial += 1
        return self.serial

    def all_ends(self) -> None:
        """Everybody keeps silent: every burst and every call comes to its end by itself."""
        for user in USERS:
            self.tiers[user] = Tier.NORMAL
            for call in tuple(self.calls):
                self.feed(call, call_in.TierChanged(Tier.NORMAL))
        for call in self.unled & self.calls.keys():
            self.lead(call)
        for group, bursts in tuple(self.on_air.items()):
            for on_air in tuple(bursts.values()):
                self.floor(group, floor_in.MediaStopped(on_air.speaker, on_air.burst, self.now))
        for _ in range(400):
            self.now += 1_000
            self.tick()
            self.watch.look()
        assert not self.calls
        assert not any(self.on_air.values())
        assert all(phone.slots == SILENT for phone in self.phones)
