"""Our SRTP sender against libsrtp as the oracle."""

from __future__ import annotations

import os
import random

import pylibsrtp
import pytest

from codec import rtp
from poc_server.media.wire.srtp import (
    MAX_PROTECTED_BYTES,
    OVERHEAD_BYTES,
    WINDOW,
    IndexRepeated,
    LibsrtpStream,
    Receiver,
    Sender,
    SrtpKeys,
    Stream,
    derive,
)

PROFILES = {
    "256": (pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, True, 32, 12),
    "128": (pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM, True, 16, 12),
    "cm": (pylibsrtp.Policy.SRTP_PROFILE_AES128_CM_SHA1_80, False, 16, 14),
}


def keys(name: str) -> SrtpKeys:
    profile, gcm, key, salt = PROFILES[name]
    one, two = os.urandom(key), os.urandom(salt)
    return SrtpKeys(profile, gcm, one, two, one, two)


def session(k: SrtpKeys, direction: int) -> pylibsrtp.Session:
    return pylibsrtp.Session(
        pylibsrtp.Policy(key=k.send_key + k.send_salt, ssrc_type=direction, srtp_profile=k.profile)
    )


def test_session_keys_are_those_of_the_standard() -> None:
    # RFC 3711 appendix B.3.
    master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139")
    salt = bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    assert derive(master, salt, 0, 16) == bytes.fromhex("C61E7A93744F39EE10734AFE3FF7A087")
    assert derive(master, salt, 2, 14) == bytes.fromhex("30CBBC08863D8C85D49DB34A9AE1")


@pytest.mark.parametrize("name", ["256", "128"])
def test_every_byte_is_as_libsrtp_makes_it(name: str) -> None:
    k, dice = keys(name), random.Random(5)
    oracle, stream = session(k, pylibsrtp.Policy.SSRC_ANY_OUTBOUND), Sender(k).stream(0xCAFE)
    for index in range(65_500, 65_600):  # over the first rollover
        payload, timestamp = dice.randbytes(dice.randint(1, 300)), dice.randrange(1 << 33)
        plain = rtp.build(111, index, timestamp, 0xCAFE, payload, marker=index % 7 == 0)
        assert stream.seal(111 | (0x80 if index % 7 == 0 else 0), index, timestamp, payload) == oracle.protect(plain)


def test_a_packet_placed_in_a_buffer_is_the_one_sealed() -> None:
    k = keys("256")
    stream, other = Sender(k).stream(5), Sender(k).stream(5)
    assert isinstance(stream, Stream)
    buffer = bytearray(OVERHEAD_BYTES + 100)
    stream.bind(buffer)
    for index, size in enumerate([100, 100, 30, 30, 100, 1]):
        payload = os.urandom(size)
        changed = stream.place(111, index, 960 * index, payload)
        assert changed == (index in (0, 2, 4, 5))
        assert bytes(buffer[: OVERHEAD_BYTES + size]) == other.seal(111, index, 960 * index, payload)


@pytest.mark.parametrize("name", PROFILES)
def test_what_is_sealed_opens_and_what_is_touched_does_not(name: str) -> None:
    k = keys(name)
    sender, receiver = Sender(k), Receiver(k)
    packet = sender.stream(7).seal(111, 1, 2, b"voice")
    assert receiver.open(packet[:-1] + bytes([packet[-1] ^ 1])) is None
    assert receiver.open(bytes([packet[0], packet[1] ^ 1]) + packet[2:]) is None
    plain = receiver.open(packet)
    assert plain is not None
    assert plain[12:] == b"voice"
    assert receiver.open(packet) is None, "a replay"
    assert receiver.open(bytes(MAX_PROTECTED_BYTES + 1)) is None


@pytest.mark.parametrize("name", PROFILES)
def test_rtcp_is_sealed_and_opened(name: str) -> None:
    k = keys(name)
    report = bytes.fromhex("80c90001000000ff")
    sealed = Sender(k).seal_rtcp(report)
    receiver = Receiver(k)
    assert receiver.open_rtcp(sealed) == report
    assert receiver.open_rtcp(sealed) is None
    assert receiver.open_rtcp(b"") is None
    assert receiver.open_rtcp(bytes(MAX_PROTECTED_BYTES + 1)) is None


@pytest.mark.parametrize("name", PROFILES)
def test_no_index_is_used_twice_under_one_key(name: str) -> None:
    stream = Sender(keys(name)).stream(7)
    stream.seal(111, 100, 0, b"one")
    with pytest.raises(IndexRepeated):
        stream.seal(111, 100, 0, b"two")


def test_a_late_packet_fills_its_hole_once() -> None:
    stream = Sender(keys("256")).stream(7)
    for index in (100, 103, 101):
        stream.seal(111, index, 0, b"x")
    for index in (101, 100, 103, 99):
        with pytest.raises(IndexRepeated):
            stream.seal(111, index, 0, b"x")
    stream.seal(111, 102, 0, b"x")


def test_holes_are_known_as_far_back_as_the_window_goes() -> None:
    stream = Sender(keys("256")).stream(7)
    stream.seal(111, 0, 0, b"x")
    stream.seal(111, WINDOW, 0, b"x")
    stream.seal(111, 1, 0, b"x")
    stream.seal(111, WINDOW + 3, 0, b"x")
    with pytest.raises(IndexRepeated):
        stream.seal(111, 3, 0, b"x")
    stream.seal(111, 4, 0, b"x")
    stream.seal(111, 100_000, 0, b"x")
    assert len(stream._holes) <= 2 * WINDOW  # type: ignore[union-attr]


def test_one_key_has_one_sender_per_stream() -> None:
    sender = Sender(keys("256"))
    assert sender.stream(1) is sender.stream(1)
    assert sender.stream(1) is not sender.stream(2)
    assert isinstance(Sender(keys("cm")).stream(1), LibsrtpStream)


def test_keys_do_not_show_themselves() -> None:
    k = keys("256")
    assert k.send_key.hex() not in repr(k)
    assert repr(k.send_key) not in repr(k)
