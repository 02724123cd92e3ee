"""Marks inside speech, and the offer and answer: no sockets."""

import contextlib
import random

import pytest

from codec.coding import decode_all
from loadtest.identity import BadLinks, read_links
from loadtest.mark import Mark, read_mark
from loadtest.speech import names, recording
from loadtest.stats import Series
from loadtest.wire.media import payload_of
from loadtest.wire.reception import SlotCount
from loadtest.wire.sdp import OfferNotUnderstood, choose_address, read_offer, write_answer


@pytest.mark.parametrize(("frame_ms", "size"), [(40, 100), (20, 80), (60, 150), (40, 600)])
def test_marked_speech_has_its_size_and_is_still_speech(frame_ms: int, size: int) -> None:
    speech = recording("en-order", frame_ms, size)
    packets = [frame.marked(3, 2, n, 10**18 + n) for n, frame in enumerate(speech.frames)]
    assert {len(p) for p in packets} == {size}
    assert read_mark(packets[5]) == Mark(3, 2, 5, 10**18 + 5)
    heard = decode_all(packets)
    assert len(heard) == len(packets) * speech.step
    assert abs(heard).max() > 3_000


def test_all_recordings_are_found() -> None:
    assert names() == ["en-order", "en-report", "zh-emergency", "zh-report"]


def test_a_packet_too_small_for_a_mark_is_refused() -> None:
    with pytest.raises(ValueError):
        recording("en-order", 20, 30)


def test_any_bytes_are_no_mark() -> None:
    source = random.Random(5)
    for _ in range(100_000):
        assert read_mark(source.randbytes(source.randrange(40))) is None


def test_the_slot_count_knows_loss_from_disorder() -> None:
    slot = SlotCount()
    for sequence in (65_534, 65_535, 2, 1, 3, 3):
        slot.take(sequence, 100, 0)
    assert (slot.packets, slot.late, slot.lost, slot.bytes) == (6, 2, 0, 600)


def test_the_payload_begins_after_sources_and_extension() -> None:
    assert payload_of(b"\x80" + bytes(11) + b"voice") == b"voice"
    assert payload_of(b"\x92" + bytes(11) + bytes(8) + b"\xbe\xde\x00\x01" + bytes(4) + b"voice") == b"voice"
    assert payload_of(b"\x9f" + bytes(11)) == b""


OFFER = """v=0
a=fingerprint:sha-256 AB:CD
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:up
a=recvonly
a=ice-ufrag:u
a=ice-pwd:p
a=rtpmap:111 opus/48000/2
a=candidate:1 1 udp 1 192.0.2.1 5000 typ host
a=candidate:2 1 udp 1 2001:db8::1 5000 typ host
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=mid:s0
a=sendonly
a=ssrc:77 cname:x
a=rtpmap:111 opus/48000/2
"""


def test_the_offer_is_read() -> None:
    offer = read_offer(OFFER)
    assert (offer.ufrag, offer.password, offer.fingerprint) == ("u", "p", "AB:CD")
    assert offer.uplink.mid == "up"
    assert [(s.mid, s.ssrc) for s in offer.slots] == [("s0", 77)]
    assert choose_address(offer, "192.0.2.1") == ("192.0.2.1", 5000)
    assert choose_address(offer, "198.51.100.7") == ("192.0.2.1", 5000)
    assert choose_address(offer, "2001:db8::9") == ("2001:db8::1", 5000)


def test_the_answer_turns_each_line_round() -> None:
    answer = write_answer(read_offer(OFFER), ufrag="a", password="b", fingerprint="EF", ssrc=9)
    assert [line for line in answer.split("\r\n") if line in ("a=sendonly", "a=recvonly")] == [
        "a=sendonly",
        "a=recvonly",
    ]
    assert answer.count("a=setup:active") == 2
    assert answer.count("a=ssrc:9 ") == 1


@pytest.mark.parametrize("without", ["a=ice-pwd:p", "a=recvonly", "a=fingerprint:sha-256 AB:CD", "a=rtpmap:111"])
def test_an_offer_that_lacks_something_is_refused(without: str) -> None:
    with pytest.raises(OfferNotUnderstood):
        read_offer("\n".join(line for line in OFFER.splitlines() if not line.startswith(without)))


def test_a_damaged_offer_is_refused_and_nothing_else() -> None:
    source = random.Random(11)
    for _ in range(3_000):
        text = list(OFFER)
        for _ in range(source.randrange(1, 8)):
            text[source.randrange(len(text))] = chr(source.randrange(32, 127))
        with contextlib.suppress(OfferNotUnderstood):
            read_offer("".join(text))


def test_links_are_read_and_bad_ones_named() -> None:
    assert read_links(['{"user":"u","token":"t","groups":["g"],"name":"n","badge":"7"}', "\n"])[0].groups == ("g",)
    with pytest.raises(BadLinks, match="line 2"):
        read_links(['{"user":"u","token":"t"}', "{}"])


def test_a_series_tells_its_percentiles() -> None:
    assert Series(range(101)).summary() == {"p50": 50, "p95": 95, "p99": 99, "max": 100, "count": 101}
    assert Series().summary()["count"] == 0
