"""What a listener receives, packet by packet; every packet is opened with libsrtp, which refuses repeats."""

from __future__ import annotations

import asyncio

import pytest

from codec import opus
from codec.packet import VoicePacket
from poc_server.media.relay import LATE_ENTRY_S, REORDER_WINDOW
from poc_server.media.wire.sdp import OPUS
from tests.media.slots import FRAME, SILENCE, SPEECH, Heard, begin, over, settle, shared, stepped, voice


@stepped
async def test_a_burst_as_a_listener_sees_it() -> None:
    s = shared()
    one = Heard(s)
    clock = s.timestamp()
    route, _ = begin(s, 1, one)
    for number in range(3):
        route.push(voice(number))
    route.end()
    await over()
    assert one.payloads == [voice(0).payload, voice(1).payload, voice(2).payload, SILENCE]
    assert [packet.marker for packet in one.packets] == [True, False, False, False]
    assert [packet.payload_type for packet in one.packets] == [OPUS] * 4
    first = one.packets[0].sequence
    assert [packet.sequence - first for packet in one.packets] == [0, 1, 2, 3]
    assert [packet.timestamp - clock % (1 << 32) for packet in one.packets] == [0, FRAME, 2 * FRAME, 3 * FRAME]


@stepped
async def test_gaps_and_order_of_the_uplink_are_kept() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    for number in (0, 2, 1, 5):
        route.push(voice(number))
    route.end()
    await over()
    first = one.packets[0].sequence
    assert [packet.sequence - first for packet in one.packets] == [0, 2, 1, 5, 6]
    assert [(packet.timestamp - one.packets[0].timestamp) // FRAME for packet in one.packets] == [0, 2, 1, 5, 6]


@stepped
async def test_the_next_burst_goes_on_at_the_clock_after_the_pause() -> None:
    s = shared()
    one = Heard(s)
    for burst in (1, 2):
        route, _ = begin(s, burst, one)
        route.push(voice(burst * 1000))
        route.end()
        await settle()
        await asyncio.sleep(2)
    (first, silence, second, _) = one.packets
    assert [packet.sequence - first.sequence for packet in one.packets] == [0, 1, 2, 3]
    assert silence.timestamp - first.timestamp == FRAME
    assert second.timestamp - first.timestamp == 2 * 48_000
    assert second.marker


@stepped
async def test_a_burst_that_cuts_in_closes_the_other_first_and_never_goes_back() -> None:
    s = shared()
    one = Heard(s)
    first, _ = begin(s, 1, one)
    first.push(voice(0))
    await settle()
    second, _ = begin(s, 2, one)
    second.push(voice(500, SPEECH + b"second"))
    first.push(voice(1))
    await settle()
    first.push(voice(2))
    first.end()
    second.end()
    await over()
    assert one.payloads == [voice(0).payload, SILENCE, SPEECH + b"second", SILENCE]
    times = [packet.timestamp for packet in one.packets]
    assert times == sorted(set(times))


@stepped
async def test_a_slot_goes_back_to_a_burst_only_when_it_enters_anew() -> None:
    s = shared()
    one = Heard(s)
    first, _ = begin(s, 1, one)
    first.push(voice(0))
    second, _ = begin(s, 2, one)
    second.push(voice(500))
    await settle()
    first.set_audience((one.slot,))
    first.push(voice(3))
    await settle()
    assert one.payloads[-1] == voice(500).payload
    first.set_audience(())
    first.set_audience((one.slot,))
    first.push(voice(4))
    await settle()
    assert one.payloads[-3:] == [SILENCE, voice(3).payload, voice(4).payload], "the last packet again, then on"


@stepped
async def test_late_entry_gets_the_last_packet_at_once() -> None:
    s = shared()
    early, late = Heard(s), Heard(s)
    route, _ = begin(s, 1, early)
    route.push(voice(0))
    route.push(voice(1))
    await settle()
    route.set_audience((early.slot, late.slot))
    await settle()
    assert late.payloads == [voice(1).payload]
    assert late.packets[0].marker
    assert len(early.packets) == 2
    route.push(voice(2))
    await settle()
    assert late.payloads == [voice(1).payload, voice(2).payload]


@pytest.mark.parametrize(("age", "sent"), [(LATE_ENTRY_S - 0.01, 1), (LATE_ENTRY_S, 0)])
@stepped
async def test_an_old_last_packet_is_not_sent_again(age: float, sent: int) -> None:
    s = shared()
    late = Heard(s)
    route, _ = begin(s, 1)
    route.push(voice(0))
    await asyncio.sleep(age)
    route.set_audience((late.slot,))
    await settle()
    assert len(late.packets) == sent


@stepped
async def test_who_is_back_after_a_moment_does_not_hear_the_last_packet_again() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    route.push(voice(0))
    for _ in range(2):
        route.set_audience(())
        route.set_audience((one.slot,))
        await settle()
    assert one.payloads == [voice(0).payload, SILENCE]
    route.push(voice(1))
    route.set_audience(())
    route.push(voice(2))
    route.set_audience((one.slot,))
    await settle()
    assert one.payloads[2:] == [voice(1).payload, SILENCE, voice(2).payload], "but what was said meanwhile"


@stepped
async def test_a_packet_from_before_the_entry_is_not_for_the_late_one() -> None:
    s = shared()
    early, late = Heard(s), Heard(s)
    route, _ = begin(s, 1, early)
    route.push(voice(0))
    route.push(voice(2))
    route.set_audience((early.slot, late.slot))
    await settle()
    route.push(voice(1))
    await settle()
    assert early.payloads == [voice(0).payload, voice(2).payload, voice(1).payload]
    assert late.payloads == [voice(2).payload]


@stepped
async def test_who_leaves_gets_the_closing_frame() -> None:
    s = shared()
    stays, leaves = Heard(s), Heard(s)
    route, _ = begin(s, 1, stays, leaves)
    route.push(voice(0))
    route.set_audience((stays.slot,))
    route.push(voice(1))
    await settle()
    assert leaves.payloads == [voice(0).payload, SILENCE]
    assert stays.payloads == [voice(0).payload, voice(1).payload]
    assert leaves.slot.route is None


@pytest.mark.parametrize("after", [0.01, 0.04, 0.07])
@stepped
async def test_the_closing_frame_comes_when_the_last_frame_is_over(after: float) -> None:
    """Were it early, the next burst would look late to a jitter buffer, beside the quickest packet of two seconds."""
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    start = s.loop.time()
    route.push(voice(0))
    await asyncio.sleep(after)
    route.end()
    await asyncio.sleep(1)
    assert one.payloads == [voice(0).payload, SILENCE]
    assert one.times == pytest.approx([start, start + max(after, 0.04)])


@stepped
async def test_a_burst_that_begins_before_closes_the_other_at_once() -> None:
    s = shared()
    one = Heard(s)
    first, _ = begin(s, 1, one)
    first.push(voice(0))
    await settle()
    first.end()
    second, _ = begin(s, 2, one)
    second.push(voice(500))
    await asyncio.sleep(1)
    assert one.payloads == [voice(0).payload, SILENCE, voice(500).payload]


@stepped
async def test_who_never_heard_a_packet_gets_no_closing_frame() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    route.end()
    await over()
    assert not one.packets


@stepped
async def test_after_the_end_nothing_is_heard() -> None:
    s = shared()
    one = Heard(s)
    route, watcher = begin(s, 1, one)
    route.push(voice(0))
    route.end()
    route.push(voice(1))
    route.set_audience((one.slot,))
    route.end()
    await over()
    assert one.payloads == [voice(0).payload, SILENCE]
    assert s.counters.stale_voice == 1
    assert len(watcher.packets) == 1


@stepped
async def test_a_number_is_carried_once_as_far_back_as_the_window_goes() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    for number in (0, 0, REORDER_WINDOW, 1, 1, 0):
        route.push(voice(number))
    await settle()
    assert [packet.payload[-1] for packet in one.packets] == [0, REORDER_WINDOW, 1]
    assert s.counters.repeated_voice == 3


@stepped
async def test_what_is_no_opus_packet_is_not_carried() -> None:
    s = shared()
    one = Heard(s)
    route, watcher = begin(s, 1, one)
    route.push(voice(0, bytes([11 << 3])))
    await settle()
    assert not one.packets
    assert not watcher.packets
    assert s.counters.bad_voice == 1


@stepped
async def test_a_phone_without_media_path_is_passed_over_and_joins_when_it_has_one() -> None:
    s = shared()
    one, other = Heard(s), Heard(s)
    stream, other.slot.stream = other.slot.stream, None
    route, _ = begin(s, 1, one, other)
    route.push(voice(0))
    await settle()
    other.slot.stream = stream
    route.push(voice(1))
    await settle()
    assert len(one.packets) == 2
    assert other.payloads == [voice(1).payload]


@stepped
async def test_a_phone_that_goes_in_the_middle_of_a_burst_disturbs_nobody() -> None:
    s = shared()
    one, other = Heard(s), Heard(s)
    route, _ = begin(s, 1, other, one)
    route.push(voice(0))
    await settle()
    other.slot.shut()
    route.push(voice(1))
    route.end()
    await over()
    assert len(one.packets) == 3
    assert len(other.packets) == 1


@stepped
async def test_the_observer_hears_of_the_start_the_stop_and_the_start_again() -> None:
    s = shared()
    route, watcher = begin(s)
    for number in range(5):
        route.push(voice(number))
        await asyncio.sleep(0.4)
    assert (watcher.started, watcher.stopped) == ([0], [])
    await asyncio.sleep(0.101)
    assert watcher.stopped == [4 * 40]
    route.push(voice(9))
    assert watcher.started == [0, 9 * 40]
    route.end()
    await asyncio.sleep(2)
    assert len(watcher.stopped) == 1, "after its end a burst does not stop again"


@stepped
async def test_taps_get_what_is_relayed_even_without_listeners() -> None:
    route, watcher = begin(shared())
    route.push(voice(0))
    assert watcher.packets == [voice(0)]


@stepped
async def test_done_is_called_at_the_end() -> None:
    s = shared()
    route, _ = begin(s)
    called: list[str] = []
    route.end(lambda: called.append("done"))
    assert called == ["done"]


@stepped
async def test_reports_of_loss_by_a_listener_do_not_count_what_the_talker_lost() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    for number in (0, 1, 2, 3, 5, 6, 7, 9):
        route.push(voice(number))
    assert route.loss == pytest.approx(0.2)
    route.end()
    await over()
    assert one.slot.carried_loss == pytest.approx(0.2)


@stepped
async def test_a_first_packet_that_was_overtaken_is_no_loss() -> None:
    route, _ = begin(shared())
    for number in (1, 0, 2):
        route.push(voice(number))
    assert route.loss == 0


@stepped
async def test_a_burst_is_closed_in_the_mode_it_was_last_spoken_in() -> None:
    s = shared()
    one = Heard(s)
    route, _ = begin(s, 1, one)
    short = bytes([9 << 3]) + b"20 ms"
    route.push(voice(0))
    route.push(voice(1, short))
    route.end()
    await over()
    assert one.payloads == [voice(0).payload, short, opus.silent_frame(short)]
    assert one.payloads[-1] != SILENCE


def test_a_voice_packet_is_plain_data() -> None:
    assert VoicePacket(1, 2, b"x", 3) == (1, 2, b"x", 3, None)
