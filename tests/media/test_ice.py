from __future__ import annotations

import pytest
from aioice import stun

from poc_server.media.wire import ice
from poc_server.media.wire.ice import Credentials, IceLite

OURS, THEIRS = Credentials("ours", "our-password-0123456789ab"), Credentials("theirs", "x" * 24)
HERE, THERE = ("socket", "10.0.0.1"), ("socket", "10.0.0.2")


def packed(username: str = "ours:theirs", key: str = OURS.password, **attributes: object) -> bytes:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": username, "PRIORITY": 1, "ICE-CONTROLLING": 7} | attributes,
    )
    message.add_message_integrity(key.encode())
    return bytes(message)


def request(username: str = "ours:theirs", key: str = OURS.password, **attributes: object) -> ice.Request:
    parsed = ice.parse_request(packed(username, key, **attributes))
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
    assert reply.transaction_id == message.transaction
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
        request(username="ours:"),
        request(username=":"),
        request(username="ours:theirs:more"),
        request(username="оurs:theirs"),  # a Cyrillic letter
    ],
)
def test_what_is_not_authentic_is_refused_without_a_word(agent: IceLite, message: ice.Request) -> None:
    assert agent.check(message, HERE, ("192.0.2.7", 1)) is None


def test_a_request_without_integrity_is_refused() -> None:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs"},
    )
    message.add_fingerprint()
    assert ice.parse_request(bytes(message)) is None


def test_a_request_is_read_as_another_implementation_reads_it(agent: IceLite) -> None:
    """Every byte changed once: what is read, and taken for authentic, is what aioice reads and takes for it."""
    whole = packed(**{"USE-CANDIDATE": None, "SOFTWARE": "abc"})
    for at in range(len(whole)):
        data = whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :]
        ours = ice.parse_request(data)
        taken = ours is not None and agent.check(ours, HERE, ("192.0.2.7", 1)) is not None
        try:
            oracle = stun.parse_message(data)
        except Exception:
            assert not taken
            continue
        assert not taken or oracle.check_message_integrity(OURS.password.encode())
    for length in range(len(whole)):
        assert ice.parse_request(whole[:length]) is None


def test_what_follows_the_integrity_counts_for_nothing(agent: IceLite) -> None:
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs"},
    )
    message.add_message_integrity(OURS.password.encode())
    data = bytes(message)[:-8]  # without the fingerprint
    for extra in (b"\x00\x25\x00\x00", b"\x80\x29\x00\x08" + bytes(8)):  # USE-CANDIDATE, ICE-CONTROLLED
        longer = data[:2] + (len(data) - 20 + len(extra)).to_bytes(2, "big") + data[4:] + extra
        parsed = ice.parse_request(longer)
        assert parsed is not None
        check = agent.check(parsed, HERE, ("192.0.2.7", 1))
        assert check is not None
        assert not check.nominated
        assert stun.parse_message(check.reply).message_class is stun.Class.RESPONSE


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
    assert request(SOFTWARE="abc").ours == b"ours"
    assert ice.parse_request(packed(username="nocolon")) is None
    assert ice.parse_request(packed(username="")) is None


def test_so_many_attributes_are_read_and_no_more() -> None:
    def with_attributes(count: int) -> bytes:
        name = b"\x00\x06\x00\x03a:b\0"
        unknown = b"\x80\x55\x00\x00" * (count - 2)
        integrity = b"\x00\x08\x00\x14" + bytes(20)
        body = name + unknown + integrity
        return b"\x00\x01" + len(body).to_bytes(2, "big") + ice.COOKIE + bytes(12) + body

    assert ice.parse_request(with_attributes(ice.MAX_ATTRIBUTES)) is not None
    assert ice.parse_request(with_attributes(ice.MAX_ATTRIBUTES + 1)) is None


def test_only_binding_requests_are_read() -> None:
    for method, kind in [
        (stun.Method.ALLOCATE, stun.Class.REQUEST),
        (stun.Method.BINDING, stun.Class.INDICATION),
        (stun.Method.BINDING, stun.Class.RESPONSE),
    ]:
        message = stun.Message(message_method=method, message_class=kind, attributes={"USERNAME": "ours:x"})
        message.add_message_integrity(OURS.password.encode())
        assert ice.parse_request(bytes(message)) is None


def test_a_request_larger_than_any_is_not_read() -> None:
    room = ice.MAX_STUN_BYTES - len(packed(DATA=b""))
    assert len(packed(DATA=bytes(room))) == ice.MAX_STUN_BYTES
    assert ice.parse_request(packed(DATA=bytes(room))) is not None
    assert ice.parse_request(packed(DATA=bytes(room + 4))) is None


def test_fresh_credentials_are_long_enough_and_made_of_what_ice_allows() -> None:
    one, two = Credentials.fresh(), Credentials.fresh()
    assert one != two
    assert len(one.ufrag) >= 4
    assert len(one.password) >= 22
    assert (one.ufrag + one.password).isalnum()


def asked_back(agent: IceLite) -> tuple[stun.Message, bytes]:
    data = agent.ask(b"t" * ice.TRANSACTION_BYTES)
    assert data is not None
    return stun.parse_message(data), data


def test_a_phone_is_asked_back_as_another_implementation_reads_it(agent: IceLite) -> None:
    check, data = asked_back(agent)
    assert check.message_class is stun.Class.REQUEST
    assert check.attributes["USERNAME"] == "theirs:ours"
    assert check.check_message_integrity(THEIRS.password.encode())
    assert {"PRIORITY", "ICE-CONTROLLED", "FINGERPRINT"} <= set(check.attributes)
    assert "USE-CANDIDATE" not in check.attributes, "a lite agent is controlled"
    assert asked_back(agent)[1] == data
    assert IceLite(OURS).ask(b"t" * ice.TRANSACTION_BYTES) is None, "its password is not known yet"


def test_only_the_phone_itself_can_answer(agent: IceLite) -> None:
    def answer(key: str, kind: stun.Class = stun.Class.RESPONSE) -> bytes:
        made = stun.Message(stun.Method.BINDING, kind, asked_back(agent)[0].transaction_id)
        made.add_message_integrity(key.encode())
        return bytes(made)

    right = answer(THEIRS.password)
    read = ice.parse_answer(right)
    assert read is not None
    assert read.transaction == b"t" * ice.TRANSACTION_BYTES
    assert agent.proves(read)
    assert not IceLite(OURS).proves(read)
    for other in (OURS.password, "guessed"):
        forged = ice.parse_answer(answer(other))
        assert forged is not None
        assert not agent.proves(forged)
    assert ice.parse_answer(answer(THEIRS.password, stun.Class.ERROR)) is None
    assert ice.parse_answer(right[:40]) is None
    for at in range(20, 44):  # up to the end of the integrity
        damaged = ice.parse_answer(right[:at] + bytes([right[at] ^ 1]) + right[at + 1 :])
        assert damaged is None or not agent.proves(damaged)
