from __future__ import annotations

import pytest
from aioice import stun

from poc_server.media import ice
from poc_server.media.ice import Credentials, IceLite

OURS, THEIRS = Credentials("ours", "our-password-0123456789ab"), Credentials("theirs", "x" * 24)
HERE, THERE = ("socket", "10.0.0.1"), ("socket", "10.0.0.2")


def request(username: str = "ours:theirs", key: str = OURS.password, **attributes: object) -> stun.Message:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": username, "PRIORITY": 1, "ICE-CONTROLLING": 7} | attributes,
    )
    message.add_message_integrity(key.encode())
    parsed = ice.parse_request(bytes(message))
    assert parsed is not None
    return parsed


@pytest.fixture
def agent() -> IceLite:
    made = IceLite(OURS)
    made.remote = THEIRS
    return made


def test_a_check_is_answered_to_the_address_it_came_from(agent: IceLite) -> None:
    message = request()
    check = agent.check(message, HERE, ("192.0.2.7", 4711))
    assert check is not None
    assert not check.nominated
    reply = stun.parse_message(check.reply)
    assert reply.message_class is stun.Class.RESPONSE
    assert reply.transaction_id == message.transaction_id
    assert reply.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.7", 4711)
    assert reply.check_message_integrity(OURS.password.encode())
    assert "FINGERPRINT" in reply.attributes


def test_an_ipv6_address_is_mapped_too(agent: IceLite) -> None:
    check = agent.check(request(), HERE, ("2001:db8::7", 4711))
    assert check is not None
    assert stun.parse_message(check.reply).attributes["XOR-MAPPED-ADDRESS"] == ("2001:db8::7", 4711)


def test_use_candidate_nominates(agent: IceLite) -> None:
    check = agent.check(request(**{"USE-CANDIDATE": None}), HERE, ("192.0.2.7", 1))
    assert check is not None
    assert check.nominated


@pytest.mark.parametrize(
    "message",
    [
        request(key="another-password-012345"),
        request(username="other:theirs"),
        request(username="ours:other"),
        request(username="ours"),
        request(username=""),
        request(username="ours:theirs:more"),
        request(username="оurs:theirs"),  # a Cyrillic letter
    ],
)
def test_what_is_not_authentic_is_refused_without_a_word(agent: IceLite, message: stun.Message) -> None:
    assert agent.check(message, HERE, ("192.0.2.7", 1)) is None


def test_a_request_without_integrity_is_refused(agent: IceLite) -> None:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs"},
    )
    message.add_fingerprint()
    parsed = ice.parse_request(bytes(message))
    assert parsed is not None
    assert agent.check(parsed, HERE, ("192.0.2.7", 1)) is None


def test_checks_that_overtake_the_answer_are_answered() -> None:
    assert IceLite(OURS).check(request(username="ours:whoever"), HERE, ("192.0.2.7", 1)) is not None


def test_a_known_transaction_from_another_address_is_a_replay(agent: IceLite) -> None:
    message = request(**{"USE-CANDIDATE": None})
    assert agent.check(message, HERE, ("192.0.2.7", 1)) is not None
    assert agent.check(message, THERE, ("192.0.2.8", 1)) is None
    assert agent.check(message, HERE, ("192.0.2.7", 1)) is not None, "a retransmission is answered again"


def test_so_many_transactions_are_remembered_and_no_more(agent: IceLite) -> None:
    first = request()
    agent.check(first, HERE, ("192.0.2.7", 1))
    for _ in range(ice.REMEMBERED_TRANSACTIONS - 1):
        agent.check(request(), HERE, ("192.0.2.7", 1))
    assert agent.check(first, THERE, ("192.0.2.8", 1)) is None
    agent.check(request(), HERE, ("192.0.2.7", 1))
    assert agent.check(first, THERE, ("192.0.2.8", 1)) is not None


def test_one_who_thinks_itself_controlled_is_told(agent: IceLite) -> None:
    check = agent.check(request(**{"ICE-CONTROLLED": 9}), HERE, ("192.0.2.7", 1))
    assert check is not None
    assert not check.nominated
    assert stun.parse_message(check.reply).error_code == 487


def test_a_phone_is_found_by_our_half_of_the_user_name() -> None:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"SOFTWARE": "abc", "USERNAME": "ours:theirs"},
    )
    assert ice.asked_ufrag(bytes(message)) == "ours"
    message.attributes = {"SOFTWARE": "abc"}
    assert ice.asked_ufrag(bytes(message)) is None
    message.attributes = {"USERNAME": "nocolon"}
    assert ice.asked_ufrag(bytes(message)) is None


def test_only_binding_requests_are_read() -> None:
    for method, kind in [
        (stun.Method.ALLOCATE, stun.Class.REQUEST),
        (stun.Method.BINDING, stun.Class.INDICATION),
        (stun.Method.BINDING, stun.Class.RESPONSE),
    ]:
        message = stun.Message(message_method=method, message_class=kind, attributes={"USERNAME": "ours:x"})
        assert ice.asked_ufrag(bytes(message)) is None
        assert ice.parse_request(bytes(message)) is None


def test_a_request_larger_than_any_is_not_read() -> None:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs", "DATA": bytes(ice.MAX_STUN_BYTES - 20 - 16 - 4)},
    )
    assert len(bytes(message)) == ice.MAX_STUN_BYTES
    assert ice.asked_ufrag(bytes(message)) == "ours"
    message.attributes["DATA"] = bytes(ice.MAX_STUN_BYTES - 20 - 16)
    assert ice.asked_ufrag(bytes(message)) is None
    assert ice.parse_request(bytes(message)) is None


def test_fresh_credentials_are_long_enough_and_made_of_what_ice_allows() -> None:
    one, two = Credentials.fresh(), Credentials.fresh()
    assert one != two
    assert len(one.ufrag) >= 4
    assert len(one.password) >= 22
    assert (one.ufrag + one.password).isalnum()
