"""An audience of 5,000 is placed in slices: voice and floor control have their turn between any two of them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Coroutine
from itertools import pairwise
from types import SimpleNamespace
from typing import Any, cast

from groups.floor.effects import BurstBegan
from groups.model import Agency, Group, Unit, User
from groups.vocabulary import AgencyId, BurstEnd, BurstId, GroupId, Role, Tier, UnitId, UserId
from poc_server.media.downlink.slot import Slot
from poc_server.media.peer import Peer
from poc_server.media.relay import Relay
from poc_server.media.shared import Shared
from poc_server.store.directory import Directory
from poc_server.store.directory.snapshot import Snapshot
from poc_server.talk.bursts import Air, Bursts
from poc_server.talk.ears import Ears
from poc_server.talk.patch import Joined
from poc_server.talk.phone import Phone
from poc_server.talk.roster import Roster
from poc_server.talk.slices import SLICE_S, Slices
from tests.media.slots import Heard, shared, voice

AUDIENCE = 5_000
LOOK_S = SLICE_S / 4
"""So far the clock of these tests goes on whenever somebody looks at it: a slice is five steps of work at most."""
AT_MOST = 320
"""Phones placed in one turn of the loop: five steps of 64."""
ALL = GroupId("all")
AGENCY, UNIT = AgencyId("ag"), UnitId("un")
LEADER = User(UserId("leader"), AGENCY, UNIT, "长", frozenset({Role.LEADER}))


class LookedAt(asyncio.SelectorEventLoop):
    """A loop whose time is how often it was asked: work takes as long on every machine."""

    def __init__(self) -> None:
        super().__init__()
        self.looks = 0

    def time(self) -> float:
        self.looks += 1
        return 1_000.0 + self.looks * LOOK_S


def counted(test: Callable[[], Coroutine[None, None, None]]) -> Callable[[], None]:
    @functools.wraps(test)
    def run() -> None:
        with asyncio.Runner(loop_factory=LookedAt) as runner:
            runner.run(test())

    return run


class Calm:
    """No emergency anywhere."""

    def in_sos(self, user: UserId) -> bool:
        return False

    def of_group(self, group: GroupId) -> Tier:
        return Tier.NORMAL

    def only_talker(self, group: GroupId) -> UserId | None:
        return None

    def talks(self, group: GroupId, user: UserId) -> None:
        pass

    def quiet(self, group: GroupId, user: UserId) -> None:
        pass


class InDanger(Calm):
    """Whoever speaks is in danger."""

    def in_sos(self, user: UserId) -> bool:
        return True

    def of_group(self, group: GroupId) -> Tier:
        return Tier.EMERGENCY


class AllHere:
    """The group in which the leader speaks, from another node: its 5,000 phones here, each with two slots.

    The last of them is a dispatcher's.
    """

    def __init__(self, danger: Calm | None = None) -> None:
        group = Group(ALL, AGENCY, UNIT, "全体")
        directory = Directory(
            Snapshot(
                agencies={AGENCY: Agency(AGENCY, "城")},
                units={UNIT: Unit(UNIT, AGENCY, None, "队")},
                users={LEADER.id: LEADER},
                groups={ALL: group},
            )
        )
        self.group = group
        self.phones: dict[str, Phone] = {}
        self.shared: Shared = shared()
        self.ears = Ears()
        air = Air(Relay(self.shared), self.ears, Roster(directory), Joined(), danger or Calm(), lambda _here: ())
        self.slices = Slices()
        self.bursts = Bursts(self, air, self.slices)
        self.first, self.last = Heard(self.shared), Heard(self.shared)
        for number in range(AUDIENCE):
            role = Role.DISPATCHER if number == AUDIENCE - 1 else Role.OFFICER
            user = User(UserId(f"u{number}"), AGENCY, UNIT, "员", frozenset({role}))
            phone = Phone(f"{user.id}/", user, "session", 2, selected=ALL)
            slots = [Slot(index, number * 2 + index, 0) for index in range(2)]
            if number in (0, AUDIENCE - 1):
                slots[0] = (self.last if number else self.first).slot
            phone.peer = cast("Peer", SimpleNamespace(slots=slots))
            self.phones[phone.key] = phone
        self.ears.place(self.phones.values())

    def named(self, key: str) -> GroupId:
        return ALL

    def submit(self, given: Any) -> bool:
        return True

    def begin(self, burst: int, tier: Tier = Tier.NORMAL) -> None:
        self.bursts.begin(BurstBegan(BurstId(burst), LEADER.id, "far", tier, 200, 1, overriding=False))

    def hear(self) -> int:
        """How many hear something now."""
        return sum(self.ears._audience.heard(phone)[0] is not None for phone in self.phones.values())

    async def turns(self) -> list[int]:
        """How many hear something at each turn of the loop, until all that was to be done is done."""
        found = [self.hear()]
        while self.slices._jobs:
            await asyncio.sleep(0)
            found.append(self.hear())
        return found


def most_in_one_turn(turns: list[int]) -> int:
    return max(abs(after - before) for before, after in pairwise(turns))


@counted
async def test_between_two_slices_of_an_audience_of_5000_the_loop_comes_round() -> None:
    everybody = AllHere()
    everybody.begin(1)
    (route,) = (each.on_air.route for each in everybody.bursts.here.values())
    route.push(voice(0))
    placed = await everybody.turns()
    assert placed[0] <= AT_MOST, "not even the first slice is longer"
    assert placed[-1] == AUDIENCE
    assert most_in_one_turn(placed) <= AT_MOST
    assert len(placed) > AUDIENCE / AT_MOST

    # Voice goes on meanwhile: who was placed first had the packet before who was placed last.
    assert len(everybody.first.packets) == 1
    await asyncio.sleep(0)
    assert len(everybody.last.packets) == 1, "sent again to who came late"
    assert everybody.first.times[0] < everybody.last.times[0]
    everybody.bursts.end(BurstId(1), BurstEnd.RELEASED)
    freed = await everybody.turns()
    assert freed[-1] == 0
    assert most_in_one_turn(freed) <= AT_MOST


@counted
async def test_a_burst_that_ends_while_its_audience_is_placed_is_heard_by_nobody_after() -> None:
    everybody = AllHere()
    everybody.begin(1)
    await asyncio.sleep(0)
    assert 0 < everybody.hear() < AUDIENCE
    everybody.bursts.end(BurstId(1), BurstEnd.RELEASED)
    assert (await everybody.turns())[-1] == 0
    assert everybody.last.packets == []


@counted
async def test_the_next_burst_takes_the_slots_of_one_whose_audience_is_still_placed() -> None:
    everybody = AllHere()
    everybody.begin(1)
    await asyncio.sleep(0)
    everybody.bursts.end(BurstId(1), BurstEnd.RELEASED)
    everybody.begin(2)
    assert (await everybody.turns())[-1] == AUDIENCE
    heard = {
        on_air.burst
        for phone in everybody.phones.values()
        for on_air in everybody.ears._audience.heard(phone)
        if on_air
    }
    assert heard == {2}


@counted
async def test_one_in_danger_is_heard_by_a_dispatcher_before_the_thousands_of_his_group() -> None:
    everybody = AllHere(InDanger())
    everybody.begin(1)
    await asyncio.sleep(0)
    everybody.bursts.end(BurstId(1), BurstEnd.PRE_EMPTED)  # both take many turns to be told to all
    everybody.begin(2, Tier.EMERGENCY)
    *_, dispatcher = everybody.phones.values()
    (heard, _) = everybody.ears._audience.heard(dispatcher)
    assert heard is not None
    assert heard.burst == 2
    assert everybody.hear() <= 2 * AT_MOST + 1
    assert (await everybody.turns())[-1] == AUDIENCE
