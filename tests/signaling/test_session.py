"""The session machine of one socket: greeting first, limits on rate and silence."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.vocabulary import Refusal
from signaling import limits, session
from signaling.messages import Hello, Ping
from signaling.session import Binary, Close, Deliver, Input, Refuse, SendPing, SignOfLife, Text, Tick, handle, opened

HELLO = Text(b'{"type":"hello","id":"1","token":"t"}')
PING = Text(b'{"type":"ping","id":"2"}')


def greeted(now: float = 0.0) -> session.SessionState:
    return handle(opened(now), HELLO, now)[0]


def test_the_first_hello_is_delivered() -> None:
    _, effects = handle(opened(0), HELLO, 0)
    assert effects == (Deliver(Hello(id="1", token="t")),)


def test_anything_before_hello_is_refused_with_its_id() -> None:
    _, effects = handle(opened(0), PING, 0)
    assert effects == (Refuse(Refusal.NOT_SIGNED_IN, "2"),)


def test_a_second_hello_is_refused() -> None:
    _, effects = handle(greeted(), HELLO, 0)
    assert effects == (Refuse(Refusal.ALREADY_GREETED, "1"),)


def test_a_message_after_hello_is_delivered() -> None:
    _, effects = handle(greeted(), PING, 0)
    assert effects == (Deliver(Ping(id="2")),)


def test_an_unknown_type_is_refused_with_its_id() -> None:
    _, effects = handle(greeted(), Text(b'{"type":"sing","id":"9"}'), 0)
    assert effects == (Refuse(Refusal.UNKNOWN_TYPE, "9"),)


def test_an_unknown_field_is_refused() -> None:
    _, effects = handle(greeted(), Text(b'{"type":"ping","id":"9","extra":1}'), 0)
    assert effects == (Refuse(Refusal.BAD_MESSAGE, "9"),)


def test_messages_up_to_the_burst_limit_pass_and_the_next_is_told_when_to_come_back() -> None:
    state = opened(0)
    state, _ = handle(state, HELLO, 0)
    for _ in range(limits.MESSAGE_BURST - 1):
        state, effects = handle(state, PING, 0)
        assert isinstance(effects[0], Deliver)
    state, effects = handle(state, PING, 0)
    (refuse,) = effects
    assert isinstance(refuse, Refuse)
    assert refuse.code is Refusal.TOO_FAST
    assert refuse.retry_after_ms is not None
    assert isinstance(handle(state, PING, (refuse.retry_after_ms - 2) / 1000)[1][0], Refuse)
    _, effects = handle(state, PING, refuse.retry_after_ms / 1000)
    assert isinstance(effects[0], Deliver)


def test_one_who_floods_on_after_being_told_is_closed() -> None:
    state = greeted()
    for _ in range(limits.MESSAGE_BURST - 1 + session.MAX_STRIKES):
        state, effects = handle(state, PING, 0)
    assert isinstance(effects[0], Refuse)
    assert handle(state, PING, 0)[1] == (Close(limits.CLOSE_TOO_FAST),)


def test_who_was_silent_for_an_hour_saved_up_one_burst_and_no_more() -> None:
    state = greeted()
    for _ in range(limits.MESSAGE_BURST):
        state, effects = handle(state, PING, 3_600)
        assert effects == (Deliver(Ping(id="2")),)
    assert isinstance(handle(state, PING, 3_600)[1][0], Refuse)


def test_mistakes_in_a_row_close_a_socket_and_single_ones_never_do() -> None:
    wrong = Text(b'{"type":"sing","id":"9"}')
    state = greeted()
    for now in range(3 * session.MAX_STRIKES):
        state, effects = handle(state, wrong if now % 2 else PING, now)
        assert isinstance(effects[0], Refuse if now % 2 else Deliver)
    state = greeted()
    for now in range(session.MAX_STRIKES):
        state, effects = handle(state, wrong, now)
        assert effects == (Refuse(Refusal.UNKNOWN_TYPE, "9"),)
    assert handle(state, wrong, session.MAX_STRIKES)[1] == (Close(limits.CLOSE_FORBIDDEN),)


@pytest.mark.parametrize("empty", [SignOfLife(), Binary()])
def test_frames_that_say_nothing_are_no_way_round_the_rate(empty: Input) -> None:
    state, effects = greeted(), ()
    for _ in range(limits.MESSAGE_BURST + session.MAX_STRIKES + 1):
        state, effects = handle(state, empty, 0)
    assert isinstance(effects[0], Close)


def test_pongs_beyond_the_rate_are_passed_over_in_silence_and_a_pause_makes_up_for_them() -> None:
    state, said = greeted(), []
    for _ in range(limits.MESSAGE_BURST - 1 + session.MAX_STRIKES):
        state, effects = handle(state, SignOfLife(), 0)
        said += effects
    assert said == []
    assert isinstance(handle(state, PING, 1)[1][0], Deliver)
    assert handle(state, SignOfLife(), 0)[1] == (Close(limits.CLOSE_TOO_FAST),)


def test_a_socket_that_never_greets_is_closed_at_the_time_limit_and_not_before() -> None:
    state = opened(0)
    assert handle(state, Tick(), limits.HELLO_TIMEOUT_S - 0.01)[1] == ()
    assert handle(state, Tick(), limits.HELLO_TIMEOUT_S)[1] == (Close(limits.CLOSE_HELLO_TIMEOUT),)


def test_a_quiet_peer_is_pinged_and_lives_when_it_answers() -> None:
    state = greeted()
    state, effects = handle(state, Tick(), limits.PING_INTERVAL_S)
    assert effects == (SendPing(),)
    state, _ = handle(state, SignOfLife(), limits.PING_INTERVAL_S + 1)
    assert handle(state, Tick(), limits.CLIENT_SILENCE_S)[1] == (SendPing(),)


def test_a_peer_that_answers_no_ping_is_closed_at_the_limit_of_silence() -> None:
    state, _ = handle(greeted(), Tick(), limits.PING_INTERVAL_S)
    assert handle(state, Tick(), limits.CLIENT_SILENCE_S)[1] == (Close(limits.CLOSE_GOING_AWAY),)


def test_who_sends_messages_is_not_asked_for_a_sign_of_life() -> None:
    assert session.due(handle(greeted(), PING, 7)[0]) == 7 + limits.PING_INTERVAL_S


def test_nothing_is_due_before_the_time_that_is_said_and_something_is_then() -> None:
    pinged, _ = handle(greeted(), Tick(), limits.PING_INTERVAL_S)
    for state in (opened(0), greeted(3.0), pinged, handle(pinged, SignOfLife(), limits.PING_INTERVAL_S + 1)[0]):
        at = session.due(state)
        assert handle(state, Tick(), at - 0.001) == (state, ())
        assert handle(state, Tick(), at)[1], "a ping, or the end"


@given(st.binary(max_size=300))
def test_no_bytes_of_a_peer_raise(data: bytes) -> None:
    _, effects = handle(greeted(), Text(data), 0)
    assert len(effects) == 1


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.text(), c)
    )
)
def test_no_json_of_a_peer_raises(value: object) -> None:
    _, effects = handle(greeted(), Text(json.dumps({"type": "select", "id": "1", "group": value}).encode()), 0)
    assert len(effects) == 1


def test_deep_json_is_refused_like_any_other_nonsense() -> None:
    _, effects = handle(greeted(), Text(b'{"type":' + b"[" * 60_000), 0)
    assert effects == (Refuse(Refusal.BAD_MESSAGE),)
