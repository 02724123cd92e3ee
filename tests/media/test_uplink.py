"""A talker's voice before, at and after the grant."""

from __future__ import annotations

import asyncio

import pytest

from poc_server.media import MediaSettings
from poc_server.media.uplink.uplink import TAIL_S
from tests.media.slots import FRAME, SILENCE, SPEECH, Heard, settle, shared, stepped
from tests.media.stage import Watcher
from tests.media.talker import Talker, begin


@stepped
async def test_what_came_before_the_grant_is_relayed_at_the_talker_s_pace() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    said = []
    start = s.loop.time()
    for _ in range(3):
        said.append(talker.says())
        await asyncio.sleep(0.04)
    begin(s, talker, one)  # 120 ms after the first word
    for _ in range(5):
        said.append(talker.says())
        await asyncio.sleep(0.04)
    await asyncio.sleep(0.2)
    assert one.payloads == said
    assert one.times == pytest.approx([start + 0.12 + 0.04 * number for number in range(8)])


@stepped
async def test_a_grant_before_the_first_word_delays_nothing() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    start = s.loop.time()
    for _ in range(3):
        talker.says()
        await settle()
        await asyncio.sleep(0.04)
    assert one.times == pytest.approx([start, start + 0.04, start + 0.08])


@stepped
async def test_what_came_quicker_than_the_first_packet_waits_for_its_time_and_what_came_later_for_nothing() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    start = s.loop.time()
    arrivals = [0.0, 0.01, 0.055, 0.13, 0.16]  # a pace of 40 ms, 30 ms early, 25 early, 10 late, in time
    for arrival in arrivals:
        await asyncio.sleep(start + arrival - s.loop.time())
        talker.says()
    await asyncio.sleep(0.1)
    assert one.times == pytest.approx([start, start + 0.04, start + 0.08, start + 0.13, start + 0.16], abs=0.006)
    assert [packet.timestamp - one.packets[0].timestamp for packet in one.packets] == [n * FRAME for n in range(5)]


@stepped
async def test_a_first_packet_that_was_late_beyond_all_others_does_not_delay_its_burst() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    start = s.loop.time()
    said = [talker.says(), talker.says()]  # the first was 100 ms late: the second waits, the third comes 20 ms after it
    await asyncio.sleep(0.02)
    said.append(talker.says())
    await settle()
    assert one.payloads == said, "nothing waits any more, in order"
    await asyncio.sleep(0.04)
    talker.says()
    await settle()
    assert one.times == pytest.approx([start, start + 0.02, start + 0.02, start + 0.06])


@stepped
async def test_older_leading_packets_are_dropped_and_counted() -> None:
    s = shared(hold_ms=150)
    talker, one = Talker(s), Heard(s)
    said = [talker.says()]
    for _ in range(9):
        await asyncio.sleep(0.04)
        said.append(talker.says())
    grant = s.loop.time()
    begin(s, talker, one)
    await asyncio.sleep(1)
    assert one.payloads == said[-4:], "the newest 150 ms: 0, 40, 80 and 120 ms old"
    assert one.times[0] == pytest.approx(grant)
    assert s.counters.without_floor == 6


@stepped
async def test_the_end_waits_for_what_is_still_to_be_relayed() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    said = [talker.says()]
    await asyncio.sleep(0.1)
    route, watcher = begin(s, talker, one)
    said.append(talker.says())
    done: list[float] = []
    released = s.loop.time()
    route.end(lambda: done.append(s.loop.time()))
    assert not done
    await asyncio.sleep(0.5)
    assert one.payloads[:2] == said
    assert len(one.packets) == 3
    assert done == pytest.approx([released + 0.04]), "a frame after the first, which was due with the grant"
    assert len(watcher.packets) == 2


@stepped
async def test_a_burst_that_ends_keeps_its_audience_till_its_last_packet() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    said = [talker.says()]
    await asyncio.sleep(0.1)
    route, _ = begin(s, talker, one)
    said.append(talker.says())
    route.end()
    route.set_audience(())
    await asyncio.sleep(0.5)
    assert one.payloads[:2] == said
    assert len(one.packets) == 3


@stepped
async def test_another_burst_takes_the_slot_of_one_that_ends() -> None:
    s = shared()
    talker, second, one = Talker(s), Talker(s), Heard(s)
    talker.says()
    await asyncio.sleep(0.1)
    route, _ = begin(s, talker, one)
    talker.says(SPEECH + b"tail")
    route.end()
    begin(s, second, one, burst=2)
    second.says(SPEECH + b"second")
    await asyncio.sleep(0.5)
    assert SPEECH + b"tail" not in one.payloads
    assert one.payloads[-1] == SPEECH + b"second"


@stepped
async def test_who_talks_next_no_longer_hears_the_one_before_nor_do_other_nodes_but_the_recorder_does() -> None:
    """A grant that came late leaves a tail to be relayed: beside the next burst it would be double talk."""
    s = shared()
    first, second, other = Talker(s), Talker(s), Heard(s)
    of_second, nodes = Heard(s), Watcher()
    said = first.says()
    await asyncio.sleep(0.1)
    route, watcher = begin(s, first, other, of_second, outward=nodes)
    first.says(SPEECH + b"tail")
    route.end()
    await settle()
    route.leave_air()
    begin(s, second, other, burst=2)
    second.says(SPEECH + b"second")
    await asyncio.sleep(0.5)
    assert SPEECH + b"tail" not in other.payloads + of_second.payloads
    assert of_second.payloads[-1] == SILENCE
    assert other.payloads[-1] == SPEECH + b"second"
    assert [packet.payload for packet in watcher.packets] == [said, SPEECH + b"tail"]
    assert [packet.payload for packet in nodes.packets] == [said]


@stepped
async def test_no_sample_of_one_burst_is_ever_in_the_next() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    route, _ = begin(s, talker, one)
    talker.says(SPEECH + b"first")
    lost_on_the_way = talker.number
    talker.number += 1
    talker.says(SPEECH + b"last")
    route.end()
    talker.receives(lost_on_the_way, SPEECH + b"late")
    await settle()
    begin(s, talker, one, burst=2)
    talker.receives(lost_on_the_way, SPEECH + b"later")
    talker.says(SPEECH + b"second")
    await asyncio.sleep(0.3)
    spoken = [payload for payload in one.payloads if payload.startswith(SPEECH)]
    assert spoken == [SPEECH + b"first", SPEECH + b"last", SPEECH + b"second"]
    assert s.counters.stale_voice == 2


@stepped
async def test_the_same_talker_again_cuts_what_waited_of_the_burst_before() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    talker.says(SPEECH + b"1")
    await asyncio.sleep(0.1)
    route, _ = begin(s, talker, one)
    talker.says(SPEECH + b"2")
    done: list[str] = []
    route.end(lambda: done.append("done"))
    begin(s, talker, one, burst=2)
    assert done == ["done"]
    talker.says(SPEECH + b"3")
    await asyncio.sleep(1)
    assert SPEECH + b"2" not in one.payloads
    assert SPEECH + b"3" in one.payloads


@stepped
async def test_what_was_held_for_a_request_that_was_queued_is_forgotten() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    talker.says()
    talker.uplink.discard()
    begin(s, talker, one)
    after = talker.says()
    await settle()
    assert one.payloads == [after]
    assert (s.counters.without_floor, talker.complaints) == (1, 0)


@stepped
async def test_voice_without_the_floor_is_counted_exactly_and_complained_of_once_a_second() -> None:
    s = shared()
    talker = Talker(s)
    for _ in range(100):
        talker.says()
        await asyncio.sleep(0.04)
    await asyncio.sleep(1)
    talker.uplink.expire(s.loop.time())
    assert s.counters.without_floor == s.counters.voice_in == 100
    assert talker.complaints in (4, 5)


@stepped
async def test_the_tail_of_a_burst_is_no_reason_to_complain() -> None:
    s = shared()
    talker = Talker(s)
    route, _ = begin(s, talker)
    talker.says()
    route.end()
    talker.says()
    await asyncio.sleep(0.2)
    talker.uplink.expire(s.loop.time())
    assert (s.counters.without_floor, talker.complaints) == (1, 0)
    await asyncio.sleep(TAIL_S)
    talker.says()
    await asyncio.sleep(0.2)
    talker.uplink.expire(s.loop.time())
    assert (s.counters.without_floor, talker.complaints) == (2, 1)


@pytest.mark.parametrize("backlog_s", [MediaSettings().backlog_s, 30])
@stepped
async def test_all_that_a_standstill_kept_back_is_held_for_the_grant_and_nothing_more(backlog_s: float) -> None:
    s = shared(backlog_s=backlog_s)
    talker, one = Talker(s), Heard(s)
    said = [talker.says_short(number) for number in range(round(backlog_s / 0.02))]
    assert (s.counters.bad_voice, s.counters.without_floor) == (0, 0)
    talker.says_short(0)
    assert s.counters.bad_voice == 1
    begin(s, talker, one)
    await asyncio.sleep(backlog_s + 1)
    assert one.payloads == said
