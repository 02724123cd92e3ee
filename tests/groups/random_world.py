"""A small city in which anything may happen at any time: calls, floors and audiences together, step by random step.

What must always hold is asked after every step; what must hold in the end, when everybody has fallen silent.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import accumulate
from typing import Any

from groups.audience import Audience
from groups.calls import effects as call_out
from groups.calls import inputs as call_in
from groups.calls import machine as calls
from groups.calls.state import Answering, CallKind, CallOptions, CallState, Part, Phase, Talking
from groups.floor import effects as floor_out
from groups.floor import inputs as floor_in
from groups.floor import machine as floors
from groups.floor.state import FloorState
from groups.precedence import voice_of
from groups.vocabulary import BurstId, CallId, GroupId, RevokeCause, Tier, UserId
from tests.groups.random_people import DISPATCHER, SILENT, SLOTS, STANDING, USERS, OnAir, Phone
from tests.groups.random_watch import Watch

LONGEST_CALL_MS = 60_000


class World:
    """Everything, and the one clock."""

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

    # --- what may happen ---------------------------------------------------------------------------------------------

    def step(self) -> None:
        act = self.random.choices(ACTS, cum_weights=CHANCES)[0]
        act(self)
        self.watch.look()

    def press(self) -> None:
        phone = self.anyone()
        group = self.any_of(phone.groups())
        if group is None:
            return
        group = self.patched.get(group, group)
        members = self.members(group)
        here = {p.user for p in self.phones if group in p.present()}
        tier = self.tiers.get(phone.user, Tier.NORMAL)
        self.floor(
            group,
            floor_in.Request(
                phone.user,
                phone.key,
                participants=len(here),
                request=str(self.number()),
                priority=self.random.randrange(256),
                may_talk=(phone.user in members or phone.user == DISPATCHER) and self.random.random() < 0.95,
                may_preempt=self.random.random() < 0.3,
                tier=tier,
                sos=tier is Tier.EMERGENCY and self.random.random() < 0.5,
                dispatcher=self.random.random() < 0.2,
            ),
        )

    def release(self) -> None:
        group, state = self.any_of(list(self.floors.items())) or (None, None)
        if group is None or state is None:
            return
        held = [(b.user, b.key, b.burst) for b in state.bursts] + [(w.user, w.key, None) for w in state.queue]
        user, key, burst = self.any_of(held) or (self.anyone().user, "nobody", None)
        if self.random.random() < 0.1:
            burst = BurstId(self.random.randrange(self.now))  # of a burst that is long over
        self.floor(group, floor_in.Release(user, key, str(self.number()), burst))

    def media(self) -> None:
        on_air = self.any_of([each for bursts in self.on_air.values() for each in bursts.values()])
        if on_air is None:
            phone = self.anyone()
            group = self.any_of(list(self.floors))
            if group is not None:
                self.floor(group, floor_in.MediaWithoutFloor(phone.user, phone.key))
            return
        kind = self.random.choice((floor_in.MediaStarted, floor_in.MediaStopped))
        self.floor(on_air.group, kind(on_air.speaker, on_air.burst, self.now))

    def choose(self) -> None:
        phone = self.anyone()
        mine = [group for group, (members, _) in STANDING.items() if phone.user in members]
        phone.selected = self.any_of([None, *mine])
        phone.listens = tuple(self.random.sample(mine, self.random.randrange(len(mine) + 1)))
        self.follow(phone)

    def monitor(self) -> None:
        """The dispatcher hears standing groups and temporary ones, none, some or all, and no private call."""
        phone = self.by_key[f"{DISPATCHER}/0"]
        temporary = [GroupId(call) for call, state in self.calls.items() if state.kind is CallKind.GROUP]
        may = [*STANDING, *temporary]
        phone.monitors = tuple(self.random.sample(may, self.random.randrange(len(may) + 1)))
        self.follow(phone)

    def patch(self) -> None:
        """Two groups are joined, or what is joined is taken apart: who talks there presses again."""
        before = {group: self.patched.get(group) for group in STANDING}
        patch = next(iter(self.patched.values()), None)
        if patch is None:
            patch = GroupId(f"patch-{self.number()}")
            self.floors[patch], self.on_air[patch] = FloorState(), {}
            joined = self.random.sample(list(STANDING), 2)
            for group in joined:
                self.floor(group, floor_in.Withdraw(None, RevokeCause.OTHER))
            self.patched.update(dict.fromkeys(joined, patch))
        else:
            self.floor(patch, floor_in.Withdraw(None, RevokeCause.OTHER))
            self.patched.clear()
        for phone in self.phones:
            self.follow(phone)
        if not self.patched:
            self.waiting.append((self._forget, patch, None))
            self.work()
        assert before != {group: self.patched.get(group) for group in STANDING}

    def call(self) -> None:
        phone = self.anyone()
        if not phone.here or phone.user == DISPATCHER or len(self.calls) > 6:
            return
        kind = self.random.choice(tuple(CallKind))
        most = 1 if kind in (CallKind.PRIVATE, CallKind.AMBIENT) else 5
        called = tuple(self.random.choices(USERS, k=self.random.randrange(most + 1)))  # also nobody, and oneself
        connected = frozenset(p.user for p in self.phones if p.here)
        private = (CallKind.PRIVATE, CallKind.FIRST_TO_ANSWER)
        busy = {p.user for state in self.calls.values() if state.kind in private for p in state.present()}
        options = CallOptions(
            answering=self.random.choice(tuple(Answering)),
            hang_ms=self.random.choice((None, 5_000)),
            maximum_ms=LONGEST_CALL_MS,
            least=self.random.randrange(1, 4),
            duplex=kind is CallKind.PRIVATE and self.random.random() < 0.3,
        )
        call = CallId(f"call-{self.number()}")
        self.calls[call] = CallState(call)
        self.floors[GroupId(call)], self.on_air[GroupId(call)] = FloorState(), {}
        deaf = frozenset(self.random.sample(USERS, 1))
        tier = self.tiers.get(phone.user, Tier.NORMAL)
        start = call_in.Start(kind, phone.user, phone.key, called, connected, frozenset(busy), tier, options, "r", deaf)
        self.feed(call, start)

    def answer(self) -> None:
        call = self.any_of(list(self.calls))
        if call is None:
            return
        phone = self.anyone()
        kind = self.random.choice((call_in.Accept, call_in.Accept, call_in.Refuse))
        self.feed(call, kind(phone.user, phone.key, "a"))

    def hang_up(self) -> None:
        call = self.any_of(list(self.calls))
        if call is not None:
            phone = self.anyone()
            self.feed(call, call_in.Leave(phone.user, phone.key, "l"))

    def end_call(self) -> None:
        call = self.any_of(list(self.calls))
        if call is not None:
            phone = self.anyone()
            self.feed(call, call_in.End(self.random.random() < 0.5, phone.user, phone.key, "e"))

    def add(self) -> None:
        call = self.any_of([c for c, state in self.calls.items() if state.kind is CallKind.GROUP])
        if call is not None:
            users = tuple(self.random.choices(USERS, k=2))
            self.feed(call, call_in.Add(users, frozenset(p.user for p in self.phones if p.here)))

    def tier(self) -> None:
        user = self.random.choice(USERS)
        tier = self.random.choice(tuple(Tier))
        self.tiers[user] = tier
        for group in tuple(self.floors):
            self.floor(
                group, floor_in.TierChanged(user, tier, sos=tier is Tier.EMERGENCY and self.random.random() < 0.5)
            )
        for call, state in tuple(self.calls.items()):
            if state.initiator == user:
                self.feed(call, call_in.TierChanged(tier))

    def come_or_go(self) -> None:
        phone = self.anyone()
        phone.here = not phone.here
        if phone.here:
            self.audience.join(phone.key, phone.user, SLOTS)
            self.follow(phone)
            for call in tuple(self.calls):
                self.feed(call, call_in.Came(phone.user, phone.key))
            return
        for group in tuple(self.floors):
            self.floor(group, floor_in.Left(phone.user, phone.key))
        self.audience.leave(phone.key)
        phone.slots = SILENT
        phone.brought = ()
        if not any(p.here for p in self.phones if p.user == phone.user):
            for call in tuple(self.calls):
                self.feed(call, call_in.Leave(phone.user, phone.key))

    def rejoin(self) -> None:
        phone = self.anyone()
        group = self.any_of(phone.groups())
        if group is not None:
            self.floor(group, floor_in.Rejoined(phone.user, phone.key))
            self.floor(group, floor_in.QueuePositionRequest(phone.user, phone.key, str(self.number())))

    def options(self) -> None:
        group = self.random.choice(tuple(STANDING))
        dual, queueing = self.random.choice((False, True)), self.random.choice((False, True))
        self.floor(group, floor_in.OptionsChanged(replace(STANDING[group][1], dual_floor=dual, queueing=queueing)))

    def alone(self) -> None:
        self.floor(self.random.choice(tuple(self.floors)), floor_in.Participants(self.random.randrange(3)))

    def revoke(self) -> None:
        group = self.any_of(list(self.floors))
        if group is not None:
            if self.random.random() < 0.5:
                self.floor(group, floor_in.RevokeRequest(UserId("dispatcher"), "d", "v"))
            else:
                self.floor(group, floor_in.Withdraw(self.any_of([None, *USERS]), RevokeCause.NO_PERMISSION))

    def desk_moves(self) -> None:
        """A call is led by nobody for a while; who leads it then says what is on air."""
        call = self.any_of(list(self.calls))
        if call in self.unled:
            self.lead(call)
        elif call is not None:
            self.unled.add(call)

    def lead(self, call: CallId) -> None:
        self.unled.discard(call)
        self.feed(call, call_in.OnAir(tuple(Talking(burst, "key") for burst in self.on_air[GroupId(call)])))

    def clock_jumps(self) -> None:
        self.now += self.random.choice((-3_600_000, -2_000, -500, 90_000))
        self.tick()

    def time_goes_by(self) -> None:
        self.now += self.random.choice((1, 40, 400, 2_500))
        self.tick()

    def tick(self) -> None:
        for group in tuple(self.floors):
            self.floor(group, floor_in.Tick())
        for call in tuple(self.calls):
            self.feed(call, call_in.Tick())

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
        self.waiting.append((self._forget, GroupId(call), None))

    def _forget(self, group: GroupId, _: None) -> None:
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


_CHANCES: tuple[tuple[int, Callable[[World], None]], ...] = (
    (24, World.press),
    (18, World.release),
    (8, World.media),
    (8, World.choose),
    (10, World.call),
    (6, World.answer),
    (3, World.hang_up),
    (2, World.end_call),
    (2, World.add),
    (3, World.tier),
    (3, World.come_or_go),
    (2, World.rejoin),
    (2, World.revoke),
    (1, World.options),
    (1, World.alone),
    (2, World.monitor),
    (1, World.patch),
    (2, World.desk_moves),
    (1, World.clock_jumps),
    (14, World.time_goes_by),
)
ACTS = [act for _, act in _CHANCES]
CHANCES = list(accumulate(weight for weight, _ in _CHANCES))
