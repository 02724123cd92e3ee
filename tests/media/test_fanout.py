"""How an audience is served: in slices, in order, each as its path needs it."""

from __future__ import annotations

import asyncio

from codec import red
from poc_server.media.downlink.fanout import CHUNK, MAX_LAG_S
from poc_server.media.wire.sdp import OPUS, RED
from tests.media.slots import FRAME, SILENCE, Heard, begin, over, settle, shared, stepped, voice


@stepped
async def test_who_loses_gets_each_frame_twice_and_others_do_not() -> None:
    s = shared()
    one, lossy = Heard(s), Heard(s, red=True)
    lossy.slot.lossy = True
    route, _ = begin(s, 1, one, lossy)
    for number in (0, 1, 3):
        route.push(voice(number))
    route.end()
    await over()
    assert {packet.payload_type for packet in one.packets} == {OPUS}
    assert [packet.payload_type for packet in lossy.packets] == [OPUS, RED, OPUS, OPUS]
    doubled = red.parse(lossy.packets[1].payload, OPUS)
    assert doubled == red.RedPacket(voice(1).payload, (red.Block(FRAME, voice(0).payload),))
    assert s.counters.red_out == 1


@stepped
async def test_a_large_audience_is_served_in_slices_and_each_slot_in_order() -> None:
    s = shared(slice_us=100)
    listeners = [Heard(s) for _ in range(5 * CHUNK + 3)]
    route, _ = begin(s, 1, *listeners)
    turns = 0
    for number in range(3):
        route.push(voice(number))
    while any(len(one.packets) < 3 for one in listeners):
        turns += 1
        await asyncio.sleep(0)
    route.end()
    await asyncio.sleep(0.1)
    assert turns > 5, "other work had its turn meanwhile"
    for one in listeners:
        assert one.payloads == [voice(0).payload, voice(1).payload, voice(2).payload, SILENCE]


@stepped
async def test_leaving_in_the_middle_of_a_slice_keeps_the_order() -> None:
    s = shared(slice_us=100)
    listeners = [Heard(s) for _ in range(4 * CHUNK)]
    route, _ = begin(s, 1, *listeners)
    route.push(voice(0))
    await asyncio.sleep(0)
    route.push(voice(1))
    route.set_audience(())
    route.push(voice(2))
    for _ in range(100):
        await asyncio.sleep(0)
    for one in listeners:
        assert one.payloads == [voice(0).payload, voice(1).payload, SILENCE]


@stepped
async def test_what_is_hopelessly_late_is_dropped_and_counted() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    route.push(voice(0))
    s.loop.now += 2 * MAX_LAG_S  # the loop stands still
    route.push(voice(1))
    route.end()
    await over()
    assert one.payloads == [voice(1).payload, SILENCE]
    assert s.counters.fanout_late == 1


@stepped
async def test_packets_of_any_size_and_mode() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    for number, size in enumerate([2, 100, 256, 257, 1200]):
        route.push(voice(number, bytes([10 << 3]) + bytes(size - 1)))
    await settle()
    assert [len(payload) for payload in one.payloads] == [2, 100, 256, 257, 1200]


@stepped
async def test_counts_for_sender_reports() -> None:
    s = shared()
    one = Heard(s)
    for burst in range(2):
        route, _ = begin(s, burst, one)
        for number in range(3):
            route.push(voice(10 * burst + number))
        route.end()
        await over()
    assert one.slot.packets == len(one.packets) == 8
    assert one.slot.octets == sum(len(payload) for payload in one.payloads)


@stepped
async def test_a_destination_the_kernel_refuses_disturbs_nobody() -> None:
    s = shared()
    one, other = Heard(s), Heard(s)

    def refuse(_: bytes, __: object) -> None:
        raise BlockingIOError

    other.slot.sendto = refuse
    route, _ = begin(s, 1, other, one)
    route.push(voice(0))
    await settle()
    assert len(one.packets) == 1
    assert (s.counters.send_refused, s.counters.voice_out) == (1, 1)
