from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from codec.opus import CLOCK_HZ, samples, silent_frame
from codec.packet import VoicePacket
from poc_server.worker.arrange import GAP_SLACK_MS, arrange
from tests.recording.voices import FRAME_MS, NOON, SAMPLES, spoken


def ms(samples: int) -> float:
    return samples * 1000 / CLOCK_HZ


def test_packets_play_as_they_came() -> None:
    packets = spoken(50)
    arranged = arrange(packets)
    assert [piece.payload for piece in arranged.pieces] == [packet.payload for packet in packets]
    assert (arranged.packets, arranged.lost, arranged.spoiled, arranged.filled) == (50, 0, 0, 0)
    assert ms(arranged.samples) == 50 * FRAME_MS


def test_disorder_and_repeats_leave_no_trace() -> None:
    packets = spoken(60)
    shaken = [*packets, *packets[10:20]]
    for begin in range(1, len(shaken), 8):
        part = shaken[begin : begin + 8]
        random.Random(begin).shuffle(part)
        shaken[begin : begin + 8] = part
    assert arrange(shaken) == arrange(packets)


def test_a_lost_packet_is_filled_where_it_was() -> None:
    packets = spoken(50)
    arranged = arrange(packets[:20] + packets[21:])
    assert arranged.lost == 1
    assert ms(arranged.filled) == FRAME_MS
    assert ms(arranged.samples) == 50 * FRAME_MS
    assert arranged.pieces[20].filled
    assert arranged.pieces[21].payload == packets[21].payload


def test_a_long_gap_is_concealed_first_and_silent_after() -> None:
    packets = spoken(100)
    arranged = arrange(packets[:20] + packets[70:])
    filling = [piece for piece in arranged.pieces if piece.filled]
    assert arranged.lost == 50
    assert ms(arranged.samples) == 100 * FRAME_MS
    assert [len(piece.payload) for piece in filling[:3]] == [1, 1, 1]
    assert {piece.payload for piece in filling[3:]} == {silent_frame(bytes([packets[19].payload[0] & 0xF8, 0]))}


def test_a_gap_that_is_no_whole_frame_is_filled_all_the_same() -> None:
    packets = spoken(20)
    later = [p._replace(timestamp=p.timestamp + 120 * 7) for p in packets[10:]]
    arranged = arrange(packets[:10] + later)
    assert arranged.samples == 20 * SAMPLES + 120 * 7
    assert arranged.lost == 0


def test_crumbs_below_an_opus_frame_add_up() -> None:
    packets = spoken(20)
    drifting = [p._replace(timestamp=p.timestamp + 60 * i) for i, p in enumerate(packets)]
    assert abs(arrange(drifting).samples - (20 * SAMPLES + 60 * 19)) < 120


def test_a_phone_whose_clock_jumps_hours_does_not_make_hours_of_silence() -> None:
    packets = spoken(20)
    jumped = [p._replace(timestamp=p.timestamp + 2**30) for p in packets[10:]]
    assert ms(arrange(packets[:10] + jumped).filled) <= FRAME_MS + GAP_SLACK_MS
    back = [p._replace(timestamp=p.timestamp - 2**30) for p in packets[10:]]
    assert arrange(packets[:10] + back).filled == 0


def test_what_is_no_opus_is_left_out_and_counted() -> None:
    packets = spoken(10)
    bad = [
        packets[3]._replace(payload=b""),
        packets[4]._replace(payload=b"\xff"),
        packets[5]._replace(payload=b"\xff?"),
    ]
    arranged = arrange(packets[:3] + bad + packets[6:])
    assert arranged.spoiled == 3
    assert arranged.packets == 7


packet = st.builds(
    VoicePacket,
    sequence=st.integers(0, 2**40),
    timestamp=st.integers(0, 2**50),
    payload=st.binary(max_size=4),
    arrived_ms=st.integers(NOON, NOON + 60_000),
    level=st.none(),
)


@settings(deadline=None)
@given(st.lists(packet, max_size=12))
def test_whatever_a_phone_sends_the_file_stays_of_sane_length(packets: list[VoicePacket]) -> None:
    arranged = arrange(packets)
    assert arranged.samples % 120 == 0
    spent = sum(samples(p.payload) for p in packets)
    assert arranged.samples <= spent + len(packets) * (60_000 + GAP_SLACK_MS) * CLOCK_HZ // 1000
    assert 0 <= arranged.lost <= len(packets) * (60_000 + GAP_SLACK_MS) // 2
