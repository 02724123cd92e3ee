from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from codec.continuity import Position

FRAME = 1920


def test_a_first_burst_begins_where_the_stream_stands_and_when_it_is() -> None:
    offsets = Position(100, 5_000).begin(sequence=70_000, timestamp=900_000, clock=48_000)
    assert offsets.place(70_000, 900_000) == (100, 48_000)
    assert offsets.place(70_001, 900_000 + FRAME) == (101, 48_000 + FRAME)


def test_a_gap_of_the_uplink_stays_a_gap() -> None:
    offsets = Position(100, 0).begin(10, 0, 0)
    assert offsets.place(13, 3 * FRAME) == (103, 3 * FRAME)


def test_the_order_of_the_uplink_is_kept() -> None:
    offsets = Position(100, 0).begin(10, 0, 0)
    placed = [offsets.place(number, (number - 10) * FRAME) for number in (10, 12, 11, 13)]
    assert [place and place[0] for place in placed] == [100, 102, 101, 103]


def test_what_was_before_one_entered_is_not_placed() -> None:
    offsets = Position(100, 0).begin(10, 0, 0)
    assert offsets.place(9, -FRAME) is None


def test_the_next_burst_goes_on_with_the_next_number_at_the_clock() -> None:
    offsets = Position(100, 0).begin(10, 0, 0)
    position = offsets.after(last_sequence=24, end_timestamp=15 * FRAME)
    assert position == Position(115, 15 * FRAME)
    following = position.advance(1, FRAME).begin(sequence=3, timestamp=77, clock=480_000)
    assert following.place(3, 77) == (116, 480_000)


def test_timestamps_never_go_back_when_a_burst_cuts_in() -> None:
    offsets = Position(100, 0).begin(10, 0, 1_000)
    position = offsets.after(10, FRAME).advance(1, FRAME)
    following = position.begin(500, 123_456, clock=1_500)
    assert following.place(500, 123_456) == (102, 1_000 + 2 * FRAME)


def test_a_stream_that_was_ahead_comes_back_to_the_clock_in_a_pause() -> None:
    position = Position(1, 10_000)
    assert position.begin(1, 0, clock=9_000).timestamp == 10_000
    assert position.begin(1, 0, clock=11_000).timestamp == 11_000


def test_a_burst_of_one_packet() -> None:
    offsets = Position(7, 70).begin(1, 0, 100)
    assert offsets.after(1, FRAME) == Position(8, 100 + FRAME)


BURSTS = st.lists(
    st.tuples(
        st.integers(0, 1 << 40),  # first number of the talker
        st.integers(0, 1 << 50),  # his first timestamp
        st.lists(st.integers(0, 3), min_size=1, max_size=20),  # losses between packets
        st.integers(-5 * FRAME, 100 * FRAME),  # how far the clock has gone on since the end of the burst before
    ),
    min_size=1,
    max_size=8,
)


@given(st.integers(0, 1 << 20), st.integers(0, 1 << 34), BURSTS)
def test_whatever_the_bursts_no_number_repeats_and_time_only_grows(
    sequence: int, timestamp: int, bursts: list[tuple[int, int, list[int], int]]
) -> None:
    position = Position(sequence, timestamp)
    numbers: list[int] = []
    times: list[int] = []
    for first, began, losses, pause in bursts:
        offsets = position.begin(first, began, position.timestamp + pause)
        at = first
        for lost in losses:
            placed = offsets.place(at, began + (at - first) * FRAME)
            assert placed is not None
            numbers.append(placed[0])
            times.append(placed[1])
            last, at = at, at + 1 + lost
        position = offsets.after(last, began + (last - first + 1) * FRAME)
        numbers.append(position.sequence)
        times.append(position.timestamp)
        position = position.advance(1, FRAME)
    assert numbers == sorted(set(numbers))
    assert times == sorted(set(times))
