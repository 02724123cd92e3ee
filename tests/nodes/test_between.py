"""Voice of another node beside its floor's events: quicker than that of its beginning, slower than that of its end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from codec.packet import VoicePacket
from groups.floor.effects import BurstBegan
from groups.model import Group
from groups.vocabulary import BurstEnd, BurstId, GroupId, Tier
from poc_server.media.relay import Relay
from poc_server.neighbours.voice.backlog import AGREED_MS
from poc_server.neighbours.voice.between import EARLY_PACKETS, END, HEAD, LAST_WORDS_S, VOICE, Between, FarFeed
from poc_server.store.directory import Directory
from poc_server.store.directory.snapshot import Snapshot
from poc_server.talk.bursts import Air, Bursts
from poc_server.talk.ears import Ears
from poc_server.talk.patch import Joined
from poc_server.talk.phone import Phone
from poc_server.talk.roster import Roster
from poc_server.talk.slices import Slices
from tests.media.slots import settle, shared, stepped
from tests.media.talker import Talker, begin
from tests.talk.test_great_audience import AGENCY, LEADER, UNIT, Calm

GROUP, OTHER = GroupId("g"), GroupId("h")
LEASE_MS = 2_000
FRAME_MS = 40


class Floor:
    """What a node has of two groups: the routes of bursts that were told, and what its state already knows."""

    def __init__(self) -> None:
        self.relayed: list[int] = []
        self.in_other: list[int] = []
        self.bursts = SimpleNamespace(newest=BurstId(0))
        self.now = 1_000_000
        node: Any = SimpleNamespace(
            talkgroups={GROUP: self, OTHER: self},
            phones={},
            conditions=SimpleNamespace(only_talker=lambda _: None),
            fabric=SimpleNamespace(now=lambda: self.now),
        )
        self.between = Between(node, "t", (), LEASE_MS)

    def says(self, burst: int, sequence: int, kind: int = VOICE, late_ms: int = 0, group: GroupId = GROUP) -> None:
        head = HEAD.pack(kind, burst, sequence, 0, self.now - late_ms, -1, len(group))
        self.between.heard(b"", head + group.encode() + b"\x08\x01")

    def begins(self, burst: int, group: GroupId = GROUP) -> FarFeed:
        number, relayed = BurstId(burst), self.relayed if group == GROUP else self.in_other
        self.bursts.newest = number
        route: Any = SimpleNamespace(push=lambda packet: relayed.append(packet.sequence))
        feed = self.between.inward(group, number, route)
        self.between.begun(group, number)
        return feed


class Home:
    """The node of a talker; all that it says to others is heard by ``other``."""

    def __init__(self, other: Floor) -> None:
        self.shared = shared()
        self.talker = Talker(self.shared)
        self.group = Group(GROUP, AGENCY, UNIT, "组")
        peer: Any = SimpleNamespace(uplink=self.talker.uplink, slots=())
        self.phones = {"leader/": Phone("leader/", LEADER, "session", 2, peer=peer, selected=GROUP)}
        line: Any = SimpleNamespace(publish=other.between.heard)
        self.floor = Floor()
        far = self.floor.between
        far.line, far.nodes = line, ("other",)
        far.heard_by[GROUP] = {"other"}
        roster = Roster(Directory(Snapshot(users={LEADER.id: LEADER}, groups={GROUP: self.group})))
        air = Air(Relay(self.shared), Ears(), roster, Joined(), Calm(), lambda _: (), far)
        self.bursts = Bursts(self, air, Slices())

    def named(self, key: str) -> GroupId:
        return GROUP

    def submit(self, given: Any) -> bool:
        return True

    def begins(self, burst: int) -> None:
        self.bursts.begin(BurstBegan(BurstId(burst), LEADER.id, "leader/", Tier.NORMAL, 200, 1, overriding=False))


@stepped
async def test_a_talker_s_node_says_that_nothing_more_comes_and_the_burst_is_over_on_the_others() -> None:
    other, done = Floor(), []
    home = Home(other)
    feed = other.begins(7)
    home.begins(7)
    for _ in range(3):
        home.talker.says()
        await asyncio.sleep(FRAME_MS / 1000)
    home.bursts.end(BurstId(7), BurstEnd.RELEASED)
    feed.finish(lambda: done.append("done"))
    assert (len(other.relayed), done) == (3, ["done"]), "at once, not when nothing has come for a while"


@stepped
async def test_whose_phone_is_on_another_node_now_is_heard_from_there() -> None:
    home = Home(Floor())
    home.begins(7)
    home.phones.clear()
    home.bursts.left("leader/")
    home.floor.says(7, 1)
    assert home.bursts.here[BurstId(7)].on_air.route.packets == 1


@stepped
async def test_what_waits_when_its_talker_presses_in_another_group_is_flushed_to_no_other_node() -> None:
    other, done = Floor(), []
    home = Home(other)
    feed = other.begins(7)
    home.begins(7)
    home.talker.says()
    await asyncio.sleep(2)
    for _ in range(40):
        home.talker.says()
    home.bursts.end(BurstId(7), BurstEnd.RELEASED)
    feed.finish(lambda: done.append("done"))
    begin(home.shared, home.talker, burst=8)
    await settle()
    assert (len(other.relayed), done) == (2, ["done"]), "no slot there is seconds ahead of its clock"


@stepped
async def test_who_speaks_from_another_connection_is_heard_to_his_last_word_though_the_first_one_has_ended() -> None:
    floor, done = Floor(), []
    feed = floor.begins(7)
    floor.says(7, 0, END)
    floor.says(7, 1)
    feed.finish(lambda: done.append("done"))
    floor.says(7, 2)
    assert (floor.relayed, done) == ([1, 2], [])
    floor.says(7, 0, END)
    assert done == ["done"]


def test_of_two_groups_whose_bursts_began_in_one_millisecond_none_hears_the_other() -> None:
    floor = Floor()
    floor.says(7, 1)
    floor.says(7, 100, group=OTHER)
    for group in (GROUP, OTHER):
        floor.begins(7, group)
    floor.says(7, 2)
    floor.says(7, 101, group=OTHER)
    assert (floor.relayed, floor.in_other) == ([1, 2], [100, 101])


def test_the_first_packets_wait_for_the_event_of_their_burst() -> None:
    floor = Floor()
    for sequence in range(EARLY_PACKETS + 5):
        floor.says(7, sequence)
    floor.begins(7)
    floor.says(7, 99)
    assert floor.relayed == [*range(EARLY_PACKETS), 99]


def test_what_comes_late_of_an_older_burst_is_not_heard() -> None:
    floor = Floor()
    floor.begins(7)
    floor.says(6, 1)
    floor.begins(8)
    assert floor.relayed == []


@stepped
async def test_the_last_words_of_a_burst_are_heard_till_its_node_says_that_there_are_no_more() -> None:
    floor, done = Floor(), []
    floor.begins(7).finish(lambda: done.append("done"))
    for sequence in range(3):
        await asyncio.sleep(LAST_WORDS_S * 0.9)
        floor.says(7, sequence)
    floor.says(7, 0, END)
    floor.says(7, 9)
    assert (floor.relayed, done) == ([0, 1, 2], ["done"])


@stepped
async def test_a_burst_is_over_when_its_node_says_nothing_any_more_or_said_so_before_the_floor_did() -> None:
    floor, done = Floor(), []
    floor.begins(7).finish(lambda: done.append(7))
    await asyncio.sleep(LAST_WORDS_S)
    feed = floor.begins(8)
    floor.says(8, 0, END)
    feed.finish(lambda: done.append(8))
    floor.says(7, 1)
    floor.says(8, 1)
    assert (floor.relayed, done) == ([], [7, 8])


def test_a_node_that_slept_longer_than_its_lease_relays_nothing_of_what_was_said_meanwhile() -> None:
    floor = Floor()
    floor.begins(7)
    for sequence in range(250):  # all of it lies there when it wakes after ten seconds
        floor.says(7, sequence, late_ms=(250 - sequence) * FRAME_MS)
    young = LEASE_MS // FRAME_MS
    assert floor.relayed == [*range(250 - young, 250)]
    assert floor.between.stale == 250 - young


def test_what_a_standstill_of_its_talker_kept_waiting_at_his_node_is_not_late() -> None:
    his, other = Floor(), Floor()
    other.begins(7)
    line: Any = SimpleNamespace(publish=other.between.heard)
    his.between.line = line
    his.between.heard_by[GROUP] = {"other"}
    tap = his.between.outward(GROUP, BurstId(7))
    tap._everywhere = 0
    for sequence in range(100):
        tap.voice(VoicePacket(sequence, 0, b"\x08", his.now - 3 * LEASE_MS))
    assert other.relayed == [*range(100)]


def test_a_clock_that_is_set_takes_the_voice_between_nodes_for_a_second_only() -> None:
    floor = Floor()
    floor.begins(7)
    for sequence in range(100):
        floor.says(7, sequence, late_ms=60_000)
        floor.now += FRAME_MS
    assert floor.relayed == [*range(25, 100)]
    floor.now += 10_000
    for sequence in range(100, 110):
        floor.says(7, sequence)
    assert floor.relayed == [*range(25, 110)]


def test_when_the_clocks_agree_again_a_node_that_slept_relays_nothing_old_as_before() -> None:
    floor = Floor()
    floor.begins(7)
    for _ in range(30):
        floor.says(7, 1, late_ms=60_000)
        floor.now += FRAME_MS
    floor.relayed.clear()
    floor.now += AGREED_MS // 2
    floor.says(7, 2, late_ms=60_000)
    floor.now += AGREED_MS + 1
    floor.says(7, 3, late_ms=10_000)
    assert floor.relayed == [2]
