"""Silence for the jitter buffers of a phone that has just connected."""

from __future__ import annotations

import asyncio

import pytest

from codec import opus
from codec.opus import plain_silence, silent_frame
from poc_server.media.warming import Warming
from tests.media.slots import FRAME, Heard, begin, shared, stepped, voice


@stepped
async def test_each_slot_gets_silence_at_the_pace_of_voice_and_then_no_more() -> None:
    s = shared(warm_up_ms=200)
    phone = [Heard(s), Heard(s, index=1)]
    began = s.loop.time()
    Warming(s, [one.slot for one in phone])
    await asyncio.sleep(1)
    for one in phone:
        assert one.payloads == [plain_silence(40)] * 5
        first = one.packets[0]
        assert [packet.timestamp - first.timestamp for packet in one.packets] == [n * FRAME for n in range(5)]
        assert [packet.sequence - first.sequence for packet in one.packets] == list(range(5))
        assert one.times == pytest.approx([began + n * 0.04 for n in range(5)])
        assert one.slot.reported == one.slot.packets == 5, "nothing to report on"
    assert s.counters.warming_out == 10
    assert s.counters.voice_out == 0


@stepped
async def test_a_burst_takes_its_slot_over_and_the_stream_goes_on() -> None:
    s = shared()
    busy, quiet = Heard(s), Heard(s, index=1)
    Warming(s, [busy.slot, quiet.slot])
    await asyncio.sleep(0.1)
    route, _ = begin(s, 1, busy)
    route.push(voice(0))
    await asyncio.sleep(0.1)
    route.end()
    await asyncio.sleep(5)
    assert busy.payloads[:3] == [plain_silence(40)] * 3
    assert busy.payloads[3:] == [voice(0).payload, silent_frame(voice(0).payload)]
    assert [packet.sequence - busy.packets[0].sequence for packet in busy.packets] == list(range(5))
    stamps = [packet.timestamp for packet in busy.packets]
    assert stamps == sorted(stamps)
    assert busy.packets[3].marker
    assert len(quiet.packets) == 25


@stepped
async def test_a_phone_that_leaves_gets_nothing_more() -> None:
    s = shared()
    one = Heard(s)
    warming = Warming(s, [one.slot])
    await asyncio.sleep(0.1)
    warming.cancel()
    await asyncio.sleep(1)
    assert len(one.packets) == 3


@stepped
async def test_none_is_sent_where_none_is_wanted() -> None:
    s = shared(warm_up_ms=0)
    one = Heard(s)
    Warming(s, [one.slot])
    await asyncio.sleep(1)
    assert one.packets == []


@pytest.mark.parametrize("frame_ms", [20, 40, 60])
def test_plain_silence_lasts_as_long_as_a_frame_and_is_shorter_than_any_voice(frame_ms: int) -> None:
    assert opus.samples(plain_silence(frame_ms)) == frame_ms * 48
    assert len(plain_silence(frame_ms)) <= 8
