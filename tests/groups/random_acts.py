"""What may happen in the random city, and how often: each act is one step of a `World`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import accumulate

from groups.calls import inputs as call_in
from groups.calls.state import Answering, CallKind, CallOptions, CallState
from groups.floor import inputs as floor_in
from groups.floor.state import FloorState
from groups.vocabulary import BurstId, CallId, GroupId, RevokeCause, Tier, UserId
from tests.groups.random_people import DISPATCHER, SILENT, SLOTS, STANDING, USERS
from tests.groups.random_world import World

LONGEST_CALL_MS = 60_000


def step(world: World) -> None:
    """Let something happen, and judge what became of it."""
    act = world.random.choices(ACTS, cum_weights=CHANCES)[0]
    act(world)
    world.watch.look()


def press(world: World) -> None:
    phone = world.anyone()
    group = world.any_of(phone.groups())
    if group is None:
        return
    group = world.patched.get(group, group)
    members = world.members(group)
    here = {p.user for p in world.phones if group in p.present()}
    tier = world.tiers.get(phone.user, Tier.NORMAL)
    world.floor(
        group,
        floor_in.Request(
            phone.user,
            phone.key,
            participants=len(here),
            request=str(world.number()),
            priority=world.random.randrange(256),
            may_talk=(phone.user in members or phone.user == DISPATCHER) and world.random.random() < 0.95,
            may_preempt=world.random.random() < 0.3,
            tier=tier,
            sos=tier is Tier.EMERGENCY and world.random.random() < 0.5,
            dispatcher=world.random.random() < 0.2,
        ),
    )


def release(world: World) -> None:
    group, state = world.any_of(list(world.floors.items())) or (None, None)
    if group is None or state is None:
        return
    held = [(b.user, b.key, b.burst) for b in state.bursts] + [(w.user, w.key, None) for w in state.queue]
    user, key, burst = world.any_of(held) or (world.anyone().user, "nobody", None)
    if world.random.random() < 0.1:
        burst = BurstId(world.random.randrange(world.now))  # of a burst that is long over
    world.floor(group, floor_in.Release(user, key, str(world.number()), burst))


def media(world: World) -> None:
    on_air = world.any_of([each for bursts in world.on_air.values() for each in bursts.values()])
    if on_air is None:
        phone = world.anyone()
        group = world.any_of(list(world.floors))
        if group is not None:
            world.floor(group, floor_in.MediaWithoutFloor(phone.user, phone.key))
        return
    kind = world.random.choice((floor_in.MediaStarted, floor_in.MediaStopped))
    world.floor(on_air.group, kind(on_air.speaker, on_air.burst, world.now))


def choose(world: World) -> None:
    phone = world.anyone()
    mine = [group for group, (members, _) in STANDING.items() if phone.user in members]
    phone.selected = world.any_of([None, *mine])
    phone.listens = tuple(world.random.sample(mine, world.random.randrange(len(mine) + 1)))
    world.follow(phone)


def monitor(world: World) -> None:
    """The dispatcher hears standing groups and temporary ones, none, some or all, and no private call."""
    phone = world.by_key[f"{DISPATCHER}/0"]
    temporary = [GroupId(call) for call, state in world.calls.items() if state.kind is CallKind.GROUP]
    may = [*STANDING, *temporary]
    phone.monitors = tuple(world.random.sample(may, world.random.randrange(len(may) + 1)))
    world.follow(phone)


def patch(world: World) -> None:
    """Two groups are joined, or what is joined is taken apart: who talks there presses again."""
    before = {group: world.patched.get(group) for group in STANDING}
    patch = next(iter(world.patched.values()), None)
    if patch is None:
        patch = GroupId(f"patch-{world.number()}")
        world.floors[patch], world.on_air[patch] = FloorState(), {}
        joined = world.random.sample(list(STANDING), 2)
        for group in joined:
            world.floor(group, floor_in.Withdraw(None, RevokeCause.OTHER))
        world.patched.update(dict.fromkeys(joined, patch))
    else:
        world.floor(patch, floor_in.Withdraw(None, RevokeCause.OTHER))
        world.patched.clear()
    for phone in world.phones:
        world.follow(phone)
    if not world.patched:
        world.waiting.append((world.forget, patch, None))
        world.work()
    assert before != {group: world.patched.get(group) for group in STANDING}


def call(world: World) -> None:
    phone = world.anyone()
    if not phone.here or phone.user == DISPATCHER or len(world.calls) > 6:
        return
    kind = world.random.choice(tuple(CallKind))
    most = 1 if kind in (CallKind.PRIVATE, CallKind.AMBIENT) else 5
    called = tuple(world.random.choices(USERS, k=world.random.randrange(most + 1)))  # also nobody, and oneself
    connected = frozenset(p.user for p in world.phones if p.here)
    private = (CallKind.PRIVATE, CallKind.FIRST_TO_ANSWER)
    busy = {p.user for state in world.calls.values() if state.kind in private for p in state.present()}
    options = CallOptions(
        answering=world.random.choice(tuple(Answering)),
        hang_ms=world.random.choice((None, 5_000)),
        maximum_ms=LONGEST_CALL_MS,
        least=world.random.randrange(1, 4),
        duplex=kind is CallKind.PRIVATE and world.random.random() < 0.3,
    )
    call = CallId(f"call-{world.number()}")
    world.calls[call] = CallState(call)
    world.floors[GroupId(call)], world.on_air[GroupId(call)] = FloorState(), {}
    deaf = frozenset(world.random.sample(USERS, 1))
    tier = world.tiers.get(phone.user, Tier.NORMAL)
    start = call_in.Start(kind, phone.user, phone.key, called, connected, frozenset(busy), tier, options, "r", deaf)
    world.feed(call, start)


def answer(world: World) -> None:
    call = world.any_of(list(world.calls))
    if call is None:
        return
    phone = world.anyone()
    kind = world.random.choice((call_in.Accept, call_in.Accept, call_in.Refuse))
    world.feed(call, kind(phone.user, phone.key, "a"))


def hang_up(world: World) -> None:
    call = world.any_of(list(world.calls))
    if call is not None:
        phone = world.anyone()
        world.feed(call, call_in.Leave(phone.user, phone.key, "l"))


def end_call(world: World) -> None:
    call = world.any_of(list(world.calls))
    if call is not None:
        phone = world.anyone()
        world.feed(call, call_in.End(world.random.random() < 0.5, phone.user, phone.key, "e"))


def add(world: World) -> None:
    call = world.any_of([c for c, state in world.calls.items() if state.kind is CallKind.GROUP])
    if call is not None:
        users = tuple(world.random.choices(USERS, k=2))
        world.feed(call, call_in.Add(users, frozenset(p.user for p in world.phones if p.here)))


def tier(world: World) -> None:
    user = world.random.choice(USERS)
    tier = world.random.choice(tuple(Tier))
    world.tiers[user] = tier
    for group in tuple(world.floors):
        world.floor(group, floor_in.TierChanged(user, tier, sos=tier is Tier.EMERGENCY and world.random.random() < 0.5))
    for call, state in tuple(world.calls.items()):
        if state.initiator == user:
            world.feed(call, call_in.TierChanged(tier))


def come_or_go(world: World) -> None:
    phone = world.anyone()
    phone.here = not phone.here
    if phone.here:
        world.audience.join(phone.key, phone.user, SLOTS)
        world.follow(phone)
        for call in tuple(world.calls):
            world.feed(call, call_in.Came(phone.user, phone.key))
        return
    for group in tuple(world.floors):
        world.floor(group, floor_in.Left(phone.user, phone.key))
    world.audience.leave(phone.key)
    phone.slots = SILENT
    phone.brought = ()
    if not any(p.here for p in world.phones if p.user == phone.user):
        for call in tuple(world.calls):
            world.feed(call, call_in.Leave(phone.user, phone.key))


def rejoin(world: World) -> None:
    phone = world.anyone()
    group = world.any_of(phone.groups())
    if group is not None:
        world.floor(group, floor_in.Rejoined(phone.user, phone.key))
        world.floor(group, floor_in.QueuePositionRequest(phone.user, phone.key, str(world.number())))


def options(world: World) -> None:
    group = world.random.choice(tuple(STANDING))
    dual, queueing = world.random.choice((False, True)), world.random.choice((False, True))
    world.floor(group, floor_in.OptionsChanged(replace(STANDING[group][1], dual_floor=dual, queueing=queueing)))


def alone(world: World) -> None:
    world.floor(world.random.choice(tuple(world.floors)), floor_in.Participants(world.random.randrange(3)))


def revoke(world: World) -> None:
    group = world.any_of(list(world.floors))
    if group is not None:
        if world.random.random() < 0.5:
            world.floor(group, floor_in.RevokeRequest(UserId("dispatcher"), "d", "v"))
        else:
            world.floor(group, floor_in.Withdraw(world.any_of([None, *USERS]), RevokeCause.NO_PERMISSION))


def desk_moves(world: World) -> None:
    """A call is led by nobody for a while; who leads it then says what is on air."""
    call = world.any_of(list(world.calls))
    if call in world.unled:
        world.lead(call)
    elif call is not None:
        world.unled.add(call)


def clock_jumps(world: World) -> None:
    world.now += world.random.choice((-3_600_000, -2_000, -500, 90_000))
    world.tick()


def time_goes_by(world: World) -> None:
    world.now += world.random.choice((1, 40, 400, 2_500))
    world.tick()


_CHANCES: tuple[tuple[int, Callable[[World], None]], ...] = (
    (24, press),
    (18, release),
    (8, media),
    (8, choose),
    (10, call),
    (6, answer),
    (3, hang_up),
    (2, end_call),
    (2, add),
    (3, tier),
    (3, come_or_go),
    (2, rejoin),
    (2, revoke),
    (1, options),
    (1, alone),
    (2, monitor),
    (1, patch),
    (2, desk_moves),
    (1, clock_jumps),
    (14, time_goes_by),
)
ACTS = [act for _, act in _CHANCES]
CHANCES = list(accumulate(weight for weight, _ in _CHANCES))
