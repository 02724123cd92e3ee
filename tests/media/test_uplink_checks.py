"""What an uplink takes for voice of its burst: not too much, not ahead of its time, whole, and found again."""

from __future__ import annotations

import asyncio

import pytest

from codec import red
from codec.opus import CLOCK_HZ
from codec.rtp import RtpPacket
from groups.floor.options import FloorOptions
from poc_server.api.people.groups import FloorIn
from poc_server.media import MediaSettings
from poc_server.media.downlink.fanout import MAX_AHEAD_S
from poc_server.media.uplink.allowance import MAX_OUTAGE_S, MAX_PACKETS_PER_S, Allowance
from poc_server.media.uplink.pace import MAX_LATE_S, MAX_SMOOTHED_S
from poc_server.media.wire.sdp import OPUS, RED
from tests.media.slots import FRAME, SILENCE, SPEECH, Heard, over, settle, shared, stepped
from tests.media.talker import Talker, begin


@pytest.mark.parametrize("stood_still", [False, True])
@stepped
async def test_a_flood_is_cut_to_what_a_standstill_can_have_kept_back(stood_still: bool) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    if stood_still:
        talker.says()
        await asyncio.sleep(s.settings.backlog_s)
    said = [talker.says() for _ in range(int(s.settings.backlog_s / 0.04))]
    assert s.counters.bad_voice == 0
    talker.says()
    assert s.counters.bad_voice == 1
    await asyncio.sleep(0.04)
    said.append(talker.says())
    assert s.counters.bad_voice == 1
    await asyncio.sleep(s.settings.backlog_s + 1)
    assert one.payloads[stood_still:] == said, "nothing of what came at once is lost"


def test_after_one_standstill_there_is_room_for_another_in_four_times_its_length() -> None:
    backlog = 6 * CLOCK_HZ
    allowance = Allowance(6.0, 0.0)
    assert allowance.speaks(backlog, 0.0)
    for number in range(1, 605):
        assert allowance.speaks(FRAME, number * 0.04)
    assert allowance.speaks(backlog, 605 * 0.04)
    assert not allowance.speaks(1, 605 * 0.04)


def test_numbers_that_were_skipped_are_not_skipped_again_before_their_time() -> None:
    allowance = Allowance(6.0, 100.0)
    assert allowance.skips(int(MAX_OUTAGE_S * MAX_PACKETS_PER_S), 100.0)
    assert not allowance.skips(1, 100.0)
    assert allowance.skips(MAX_PACKETS_PER_S, 101.0)


def test_as_much_voice_waits_as_was_said_while_the_longest_t1_kept_the_floor() -> None:
    longest = next(one.le for one in FloorIn.model_fields["end_of_media_ms"].metadata if hasattr(one, "le"))
    assert FloorOptions().end_of_media_ms <= longest == MediaSettings().backlog_s * 1000


@stepped
@pytest.mark.parametrize(("beyond", "refused"), [(0, 0), (1, 1), (2**31 - 2**24, 1)])
async def test_a_jump_of_the_timestamps_within_a_burst_is_refused_beyond_its_bound(beyond: int, refused: int) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    first = talker.says()
    talker.at = round((s.settings.backlog_s + MAX_SMOOTHED_S) * 48_000) - FRAME + beyond
    jumped = talker.says()
    talker.at = 0
    last = talker.says()
    await asyncio.sleep(s.settings.backlog_s + 1)
    assert one.payloads == ([first, last] if refused else [first, last, jumped])
    assert s.counters.bad_voice == refused
    ahead = one.slot.position.timestamp - s.timestamp()
    assert ahead < 0, "what is ahead of its time waits for it"


@stepped
async def test_bursts_that_are_ahead_of_their_time_do_not_add_up_on_a_slot_whoever_talks() -> None:
    s = shared()
    one = Heard(s)
    for number in range(20):
        talker = Talker(s)
        route, _ = begin(s, talker, one, burst=number)
        talker.says()
        talker.at += int(MAX_LATE_S * 48_000)  # its first packet was late by so much, as it seems
        talker.says()
        talker.says()
        await settle()
        route.end()
        await settle()
    ahead = (one.packets[-1].timestamp - s.timestamp()) % 2**32
    assert ahead < (MAX_AHEAD_S + MAX_LATE_S + 0.2) * 48_000
    assert s.counters.bad_voice == 0
    other = Talker(s)
    begin(s, other, one, burst=99)
    said = []
    for _ in range(20):
        said.append(other.says())
        await asyncio.sleep(0.04)
    assert one.payloads[-1] == said[-1], "time has caught up"


@stepped
async def test_a_slot_is_ahead_by_one_standstill_at_most_after_a_full_duplex_call_of_timestamps_that_jump() -> None:
    s = shared()
    talker, other, one = Talker(s), Talker(s), Heard(s)
    route, _ = begin(s, talker, one, catches_up=True)
    for _ in range(20):
        talker.says()
        talker.at += 4 * 48_000
    route.end()
    await asyncio.sleep(2 * s.settings.backlog_s)
    begin(s, other, one, burst=2)
    heard = other.says(SPEECH + b"other")
    await settle()
    assert one.payloads[-1] == heard


@stepped
async def test_after_timestamps_that_jumped_ahead_and_back_the_next_burst_begins_behind_all() -> None:
    s = shared()
    talker, other, one = Talker(s), Talker(s), Heard(s)
    route, _ = begin(s, talker, one)
    talker.says()
    talker.at = 4 * 48_000
    talker.says()
    talker.at = 0
    talker.says()
    route.end()
    await asyncio.sleep(5)
    begin(s, other, one, burst=2)
    other.says()
    await settle()
    *before, newest = [packet.timestamp for packet in one.packets]
    behind = [(newest - timestamp) % (1 << 32) for timestamp in before]
    assert 0 < min(behind) <= max(behind) < 1 << 31, "a jitter buffer throws away what is behind what it has played"


@stepped
@pytest.mark.parametrize(("beyond", "refused"), [(0, 0), (1, 1), (28_000, 1)])
@pytest.mark.parametrize("granted", [False, True])
async def test_a_jump_of_the_numbers_is_refused_beyond_what_can_be_lost(
    beyond: int, refused: int, granted: bool
) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    if granted:
        begin(s, talker, one)
    said = [talker.says()]
    skipped = int(MAX_OUTAGE_S * MAX_PACKETS_PER_S) + beyond
    talker.skips(skipped)
    jumped = talker.says()
    if not granted:
        begin(s, talker, one)
        said = [jumped] if refused else [*said, jumped]  # what waits is of one count
    elif refused:
        talker.skips(-skipped - 1)
    else:
        said.append(jumped)
    said.append(talker.says())
    await asyncio.sleep(0.2)
    assert one.payloads == said
    assert (s.counters.bad_voice, s.counters.without_floor) == ((refused, 0) if granted else (0, refused))


@stepped
async def test_numbers_that_jump_take_no_slot_from_a_listener_who_misses_some() -> None:
    s = shared()
    talker, other, one = Talker(s), Talker(s), Heard(s)
    route, _ = begin(s, talker, one)
    talker.says()
    await settle()
    hears, one.slot.sendto = one.slot.sendto, lambda data, address: None
    for _ in range(3):
        talker.skips(30_000)
        talker.says()
        await settle()
    one.slot.sendto = hears
    route.end()
    await over()
    begin(s, other, one, burst=2)
    heard = other.says(SPEECH + b"other")
    await settle()
    assert one.payloads[-1] == heard


@stepped
async def test_minutes_of_silence_within_a_burst_and_between_two_are_no_jump() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    route, _ = begin(s, talker, one)
    said = [talker.says()]
    for pause_s in (300, 3_600):
        await asyncio.sleep(pause_s)
        talker.at += pause_s * 48_000  # DTX: its clock went on
        said.append(talker.says())
    route.end()
    await over()
    for jump_s in (0, 300, 30_000, -30_000):  # it may stand still, go on, or count on from anywhere
        talker.at += jump_s * 48_000
        await asyncio.sleep(300)
        said.append(SILENCE)
        route, _ = begin(s, talker, one)
        said += [talker.says(), talker.says()]
        route.end()
        await asyncio.sleep(0.1)
    assert one.payloads == [*said, SILENCE]
    assert s.counters.bad_voice == 0


@stepped
async def test_what_waits_for_the_grant_is_of_one_count() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    talker.says()
    talker.at = 3_600 * 48_000
    said = [talker.says()]
    await asyncio.sleep(0.04)
    begin(s, talker, one)
    said.append(talker.says())
    await asyncio.sleep(0.1)
    assert one.payloads == said
    assert (s.counters.bad_voice, s.counters.without_floor) == (0, 1)


@stepped
@pytest.mark.parametrize("payload", [b"", bytes([10 << 3]), bytes([10 << 3]) + bytes(1275)])
async def test_what_is_no_voice_is_counted(payload: bytes) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    talker.says(payload)
    talker.says(SPEECH, payload_type=0)
    talker.says(b"\x80", payload_type=RED)
    await settle()
    assert (s.counters.bad_voice, s.counters.voice_in) == (3, 0)
    assert not one.packets


@stepped
async def test_a_frame_lost_on_the_uplink_is_found_in_the_redundancy_of_the_next() -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    begin(s, talker, one)
    before = SPEECH + b"0"
    frames = [before, SPEECH + b"1", SPEECH + b"2", SPEECH + b"3"]
    for number, frame in enumerate(frames):
        doubled = red.build(OPUS, frame, (red.Block(FRAME, before),) if number else ())
        before = frame
        assert doubled is not None
        if number == 2:
            talker.number += 1  # lost
        else:
            talker.says(doubled, payload_type=RED)
    await asyncio.sleep(0.1)
    assert one.payloads == frames
    times = [packet.timestamp for packet in one.packets]
    assert [time - times[0] for time in times] == [0, FRAME, 2 * FRAME, 3 * FRAME]
    assert s.counters.voice_recovered == 1


@pytest.mark.parametrize("before", ["a burst", "a denial"])
@pytest.mark.parametrize("granted_first", [True, False])
@stepped
async def test_a_lost_frame_of_what_was_said_before_is_not_heard_in_the_next_burst(
    before: str, granted_first: bool
) -> None:
    s = shared()
    talker, one = Talker(s), Heard(s)
    route = begin(s, talker, one)[0] if before == "a burst" else None
    talker.says()
    lost = SPEECH + b"lost"
    talker.number += 1
    if route is not None:
        route.end()
    else:
        talker.uplink.discard()
    await over()
    doubled = red.build(OPUS, SPEECH + b"next", (red.Block(FRAME, lost),))
    if not granted_first:
        talker.says(doubled, payload_type=RED)
    begin(s, talker, one, burst=2)
    if granted_first:
        talker.says(doubled, payload_type=RED)
    await asyncio.sleep(0.1)
    assert one.payloads[-1] == SPEECH + b"next"
    assert lost not in one.payloads
    assert s.counters.voice_recovered == 0


@stepped
async def test_a_phone_s_own_word_on_loudness_goes_along_with_its_voice() -> None:
    s = shared()
    talker = Talker(s)
    _, watcher = begin(s, talker)

    def says_level(number: int, extension: bytes) -> None:
        packet = RtpPacket(OPUS, False, 60_000 + number, number * FRAME, 7, 0xBEDE, extension, SPEECH)
        talker.uplink.received(packet, s.loop.time())

    says_level(0, b"\x10\x20\0\0")
    talker.uplink.level_id = 1
    says_level(1, b"\x10\xa0\0\0")
    says_level(2, b"\x10\x7f\0\0")
    says_level(3, b"")
    await asyncio.sleep(0.1)
    assert [packet.level for packet in watcher.packets] == [None, 32, 127, None]
    assert (s.counters.voice_levelled, s.counters.voice_silent) == (2, 1)
