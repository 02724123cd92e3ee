"""What holds of the pace of a burst whatever its uplink does: packets in any order, as late as they like."""

from __future__ import annotations

import asyncio
import functools
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from codec import red
from codec.opus import CLOCK_HZ
from codec.packet import VoicePacket
from poc_server.media.uplink.pace import MAX_LATE_S, MAX_SMOOTHED_S
from poc_server.media.uplink.pacer import READ_AFTER_S, WORTH_WAITING_S, Pacer
from poc_server.media.wire.sdp import OPUS, RED
from tests.media.slots import FRAME, SILENCE, SPEECH, Heard, settle, shared, stepped
from tests.media.talker import Talker, begin

FRAME_S = FRAME / CLOCK_HZ
BACKLOG_S = 6.0
EPSILON_S = 1e-6
LATENESS_MS = st.integers(0, 90) | st.integers(0, 400) | st.just(2_000)
"""Of a packet on its way: jitter, worse, and an outage."""


@dataclass
class Onward:
    """Remembers what was relayed, and when."""

    loop: asyncio.AbstractEventLoop
    relayed: list[tuple[float, int]] = field(default_factory=list)

    def push(self, packet: VoicePacket) -> None:
        self.relayed.append((self.loop.time(), packet.sequence))

    def leave_air(self) -> None:
        """Nobody listens."""


@dataclass
class Passage:
    """Packets of 40 ms, number 0 spoken at 0 s, and how one pacer carries them. All times in seconds since then."""

    arrived: dict[int, float]
    """When each came."""
    granted: float
    """What came before was held."""
    relayed: list[tuple[float, int]] = field(default_factory=list)
    """When each was relayed, and in which order, after `carry`."""
    ended: float = 0.0
    done: list[float] = field(default_factory=list)
    detached: int = 0

    async def carry(self, until: float = float("inf")) -> None:
        """The burst ends at ``until``, or with its last packet."""
        self.done, self.detached = [], 0
        loop = asyncio.get_running_loop()
        start = loop.time()
        order = sorted(self.arrived, key=lambda number: self.arrived[number])
        packets = {number: VoicePacket(number, 5_000 + number * FRAME, SPEECH, 0) for number in order}
        await asyncio.sleep(self.granted)
        held = deque((start + self.arrived[one], packets[one]) for one in order if self.arrived[one] <= self.granted)
        onward = Onward(loop)
        pacer = Pacer(loop, onward, held, self._detached, BACKLOG_S)
        for one in order[len(held) :]:
            if self.arrived[one] > until:
                break
            await asyncio.sleep(start + self.arrived[one] - loop.time())
            assert pacer.voice(packets[one], loop.time())
        await asyncio.sleep(start + until - loop.time() if until < float("inf") else 0)
        pacer.finish(lambda: self.done.append(loop.time() - start))
        self.ended = loop.time() - start
        await asyncio.sleep(10)
        self.relayed = [(at - start, number) for at, number in onward.relayed]

    def _detached(self, _: Pacer) -> None:
        self.detached += 1


@st.composite
def passages(draw: st.DrawFn) -> Passage:
    lateness = draw(st.lists(LATENESS_MS, min_size=1, max_size=16))
    arrived = {number: number * FRAME_S + late / 1000 for number, late in enumerate(lateness)}
    first = min(arrived.values())
    return Passage(arrived, first + draw(st.integers(-200, 150)) / 1000 if draw(st.booleans()) else 0.0)


def holds(passage: Passage, carried: list[int]) -> None:
    """What a listener may count on, of the packets that were given to the pacer."""
    at = {number: time for time, number in passage.relayed}
    assert sorted(number for _, number in passage.relayed) == sorted(carried), "each once"
    arrived = passage.arrived
    first = min(carried, key=lambda number: arrived[number])
    delay = max(0.0, passage.granted - arrived[first])
    base = arrived[first] + delay - first * FRAME_S
    lateness = [arrived[number] - number * FRAME_S for number in carried]
    stood_still = max(lateness) - min(lateness)
    if stood_still < MAX_LATE_S - EPSILON_S:
        stood_still = 0.0
    before: list[int] = []
    for time, number in passage.relayed:
        came = max(arrived[number], passage.granted)
        assert time >= came - EPSILON_S, "none before it came"
        pace = base + number * FRAME_S + stood_still
        assert time <= max(came, pace) + EPSILON_S, "none later than the first one and itself, or than a standstill"
        for other in before:
            assert other < number or at[other] <= came + EPSILON_S, "in order, but for what came late"
        for other in carried:
            # Whatever else came says, too, how quick the path can be.
            quick = arrived[other] + delay + (number - other) * FRAME_S + MAX_SMOOTHED_S + stood_still
            assert time <= max(came, arrived[other], quick) + EPSILON_S, "none waits for a pace that was wrong"
        before.append(number)


@given(passages())
@example(Passage({0: 0.0, 1: 0.075, 2: 0.07}, 0.0))
@example(Passage({0: 0.1, 1: 0.105, 2: 0.11, 3: 0.15}, 0.22))
@settings(max_examples=60)
@stepped
async def test_each_packet_is_relayed_once_in_order_and_in_its_time(passage: Passage) -> None:
    await passage.carry()
    holds(passage, list(passage.arrived))
    assert passage.done == pytest.approx([max(passage.ended, passage.relayed[-1][0])])
    assert passage.detached == 1


@given(passages(), st.integers(0, 700))
@settings(max_examples=40)
@stepped
async def test_a_burst_ends_when_what_came_is_relayed_whenever_it_is_ended(passage: Passage, after_ms: int) -> None:
    until = max(passage.granted, 0.0) + after_ms / 1000
    await passage.carry(until)
    carried = [number for number, at in passage.arrived.items() if at <= max(until, passage.granted)]
    if carried:
        holds(passage, carried)
        assert passage.done == pytest.approx([max(until, passage.relayed[-1][0])])
    else:
        assert (passage.relayed, passage.done) == ([], pytest.approx([until]))


@stepped
async def test_what_was_overtaken_but_is_not_late_goes_before_what_overtook_it() -> None:
    passage = Passage({0: 0.0, 2: 0.03, 1: 0.034, 3: 0.12}, 0.0)
    await passage.carry()
    assert [number for _, number in passage.relayed] == [0, 1, 2, 3]
    assert [time for time, _ in passage.relayed] == pytest.approx([0, 0.04, 0.08, 0.12], abs=WORTH_WAITING_S)


@stepped
async def test_the_first_words_are_held_in_the_order_they_were_spoken_in() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    for number in (1, 0, 2):
        talker.receives(number, SPEECH + bytes([number]))
    await asyncio.sleep(0.05)
    begin(s, talker, one)
    await asyncio.sleep(0.5)
    assert one.payloads == [SPEECH + bytes([number]) for number in range(3)]


@stepped
async def test_what_waits_when_a_new_pace_begins_waits_no_longer_than_for_that() -> None:
    passage = Passage({0: 0.1, 1: 0.13, 2: 0.131, 3: 0.165, 4: 0.201, 5: 0.23}, 0.2)
    await passage.carry()
    holds(passage, list(passage.arrived))
    assert [number for _, number in passage.relayed] == list(range(6))
    # The last is 70 ms early and begins a pace that two have waited too long for.
    assert [time for time, _ in passage.relayed] == pytest.approx([0.2, 0.23, 0.23, 0.25, 0.29, 0.33])


@stepped
async def test_what_a_standstill_kept_back_is_relayed_at_its_pace_behind_it_and_the_clock() -> None:
    """Ten seconds of speech; for three of them nothing comes through, then all at once."""
    s = shared()
    talker, one = Talker(s), Heard(s)
    route, watcher = begin(s, talker, one)
    start, said = s.loop.time(), []
    for number in range(250):
        arrival = max(number * FRAME_S, 5.0) if 50 <= number < 125 else number * FRAME_S
        await asyncio.sleep(max(0.0, start + arrival - s.loop.time()))
        said.append(talker.says())
    done: list[float] = []
    route.end(lambda: done.append(s.loop.time()))
    await asyncio.sleep(4)
    *speech, silence = one.packets
    assert [packet.payload for packet in speech] == said == [packet.payload for packet in watcher.packets]
    assert silence.payload == SILENCE
    due = [start + number * FRAME_S + (3.0 if number >= 50 else 0.0) for number in range(250)]
    assert one.times[:-1] == pytest.approx(due, abs=WORTH_WAITING_S)
    assert done == pytest.approx([due[-1]], abs=WORTH_WAITING_S)
    at = [(packet.timestamp - speech[0].timestamp) % 2**32 / CLOCK_HZ for packet in speech]
    assert at == pytest.approx([time - start for time in due], abs=0.001), "no jitter buffer sees that it was late"
    assert (s.counters.standstills, s.counters.bad_voice, s.counters.repeated_voice) == (1, 0, 0)


@pytest.mark.parametrize("granted_first", [True, False])
@stepped
async def test_a_burst_that_begins_with_a_standstill_is_not_flushed(granted_first: bool) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    if granted_first:
        begin(s, talker, one)
    said = [talker.says() for _ in range(100)]
    if not granted_first:
        begin(s, talker, one)
    start = s.loop.time()
    await asyncio.sleep(5)
    assert one.payloads == said
    assert talker.complaints == 0
    behind = [number * FRAME_S - (time - start) for number, time in enumerate(one.times)]
    assert max(behind) <= (MAX_LATE_S + FRAME_S if granted_first else WORTH_WAITING_S), "the first may just be late"
    assert sum(after - before < FRAME_S / 2 for before, after in itertools.pairwise(one.times)) < 10


@stepped
async def test_in_a_full_duplex_call_a_standstill_delays_nothing_of_what_is_said_after_it() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one, catches_up=True)
    said = [talker.says()]
    await asyncio.sleep(3)
    said += [talker.says() for _ in range(74)]
    await settle()
    assert one.payloads == said
    for _ in range(5):
        said.append(talker.says())
        await settle()
        assert one.payloads == said
        await asyncio.sleep(FRAME_S)


@stepped
async def test_what_is_read_just_after_the_release_is_of_the_burst_where_much_comes_at_once() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    route, watcher = begin(s, talker, one)
    said = [talker.says()]
    await asyncio.sleep(3)
    said += [talker.says() for _ in range(64)]  # a turn of the loop reads no more
    route.end()
    said += [talker.says() for _ in range(11)]
    await asyncio.sleep(READ_AFTER_S + EPSILON_S)
    talker.says()
    await asyncio.sleep(4)
    assert one.payloads == [*said, SILENCE]
    assert [packet.payload for packet in watcher.packets] == said
    talker.uplink.expire(s.loop.time())
    assert s.counters.without_floor == 1


@stepped
async def test_what_was_overtaken_by_a_standstill_keeps_its_place_before_it() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    for number in (0, 2):
        talker.receives(number, SPEECH + bytes([number]))
        await asyncio.sleep(2 * FRAME_S)
    await asyncio.sleep(1)
    for number in (4, 1, 3, 5):
        talker.receives(number, SPEECH + bytes([number]))
    await asyncio.sleep(1)
    at = {packet.payload[-1]: (packet.timestamp - one.packets[0].timestamp) / FRAME for packet in one.packets}
    assert (at[1], at[2]) == (1, 2)
    assert at[4] - at[3] == at[5] - at[4] == 1
    assert at[4] == pytest.approx(29, abs=0.001), "a second after 160 ms"


@stepped
async def test_who_presses_again_while_words_wait_is_heard_at_once_and_those_are_recorded() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    route, watcher = begin(s, talker, one)
    said = [talker.says()]
    await asyncio.sleep(2)
    said += [talker.says() for _ in range(40)]
    done: list[str] = []
    route.end(lambda: done.append("done"))
    begin(s, talker, one, burst=2)
    again = talker.says()
    await settle()
    assert [packet.payload for packet in watcher.packets] == said
    assert (done, one.payloads[-1]) == (["done"], again)
    assert len(one.payloads) < 5


@pytest.mark.parametrize("ppm", [-200, 200])
@stepped
async def test_a_phone_whose_clock_is_wrong_is_relayed_steadily_for_a_minute(ppm: int) -> None:
    apart = FRAME_S / (1 + ppm / 1e6)
    passage = Passage({number: number * apart for number in range(1_500)}, 0.0)
    await passage.carry()
    times = [time for time, _ in passage.relayed]
    assert [number for _, number in passage.relayed] == list(range(1_500))
    waits = [time - passage.arrived[number] for time, number in passage.relayed]
    assert min(waits) > -EPSILON_S
    assert max(waits) < 60 * 200 / 1e6 + EPSILON_S, "what its clock gained, in a minute"
    steps = [after - before for before, after in itertools.pairwise(times)]
    assert max(abs(step - FRAME_S) for step in steps) < WORTH_WAITING_S + 0.001


@given(
    st.lists(st.tuples(LATENESS_MS, st.booleans(), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 200),
)
@example([(40, False, False), (40, False, False), (340, False, False)], 0)
@settings(max_examples=40)
@stepped
async def test_a_listener_gets_every_frame_in_its_place_whatever_is_lost_overtaken_or_sent_twice(
    packets: list[tuple[int, bool, bool]], grant_ms: int
) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    frames = [SPEECH + bytes([number]) for number in range(len(packets))]
    start = s.loop.time()
    came: set[int] = set()
    events: list[tuple[float, Callable[[], object]]] = [(grant_ms / 1000, lambda: begin(s, talker, one))]
    for number, (late_ms, lost, doubled) in enumerate(packets):
        body, kind = frames[number], OPUS
        if doubled and number:
            body, kind = red.build(OPUS, body, (red.Block(FRAME, frames[number - 1]),)) or body, RED
        arrival = number * FRAME_S + late_ms / 1000
        if not lost:
            came |= {number} if arrival > grant_ms / 1000 else set()
            events.append((arrival, functools.partial(talker.receives, number, body, kind)))
    for at, happens in sorted(events, key=lambda event: event[0]):
        await asyncio.sleep(max(0.0, start + at - s.loop.time()))
        happens()
    await asyncio.sleep(5)
    await settle()
    spoken = [packet for packet in one.packets if packet.payload != SILENCE]
    numbers = [frames.index(packet.payload) for packet in spoken]
    assert len(set(numbers)) == len(numbers), "none twice"
    for packet, number in zip(spoken, numbers, strict=True):
        assert packet.sequence - spoken[0].sequence == number - numbers[0]
        assert packet.marker == (packet is spoken[0])
    moved = {
        number: (packet.timestamp - spoken[0].timestamp + 2**31) % 2**32 - 2**31 - (number - numbers[0]) * FRAME
        for packet, number in zip(spoken, numbers, strict=True)
    }
    in_order = [moved[number] for number in sorted(moved)]
    assert in_order == sorted(in_order), "timestamps keep their places, and move on with a standstill"
    late = [late_ms for late_ms, lost, _ in packets if not lost]
    # A frame that was lost comes with the next packet, a frame later still.
    late += [late_ms + FRAME_S * 1000 for late_ms, lost, doubled in packets[1:] if doubled and not lost]
    if max(late, default=0) - min(late, default=0) < MAX_LATE_S * 1000:
        assert not any(in_order)
    assert max(in_order, default=0) <= max(late, default=0) * CLOCK_HZ // 1000 + FRAME, "found in the next one's copy"
    begins = min(numbers, default=0)
    assert numbers[:1] in ([], [begins]), "none before the first"
    assert {number for number in came if number > begins} <= set(numbers), "none missing that came"
