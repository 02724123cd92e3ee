from __future__ import annotations

from dataclasses import replace

import pytest
from aiortc.sdp import SessionDescription

from poc_server.media.wire import sdp
from poc_server.media.wire.ice import Credentials
from poc_server.media.wire.sdp import SdpRefused

SHA = ":".join(["AB"] * 32)
OFFER = sdp.Offer(
    session=1,
    version=2,
    ice=Credentials("ufrag", "p" * 24),
    fingerprint=SHA,
    candidates=[("192.0.2.1", 5000), ("2001:db8::1", 5000)],
    slots=[11, 22],
    ptime_ms=40,
    bitrate=20_000,
)


def line(mid: int, direction: str, *more: str, port: int = 9) -> str:
    return "\r\n".join(
        [
            f"m=audio {port} UDP/TLS/RTP/SAVPF 111 63",
            "c=IN IP4 0.0.0.0",
            f"a=mid:{mid}",
            f"a={direction}",
            "a=ice-ufrag:abcd",
            "a=ice-pwd:" + "q" * 24,
            f"a=fingerprint:sha-256 {SHA}",
            "a=setup:active",
            "a=rtcp-mux",
            "a=rtpmap:111 opus/48000/2",
            "a=rtpmap:63 red/48000/2",
            *more,
        ]
    )


HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n"
ANSWER = HEAD + "\r\n".join([line(0, "sendonly", "a=ssrc:4242 cname:x"), line(1, "recvonly"), line(2, "recvonly"), ""])


def test_the_offer_is_one_uplink_and_slots_with_fixed_ssrcs() -> None:
    media = SessionDescription.parse(sdp.write(OFFER)).media
    assert [one.direction for one in media] == ["recvonly", "sendonly", "sendonly"]
    assert [[ssrc.ssrc for ssrc in one.ssrc] for one in media] == [[], [11], [22]]
    for one in media:
        assert one.ice.usernameFragment == "ufrag"
        assert one.rtcp_mux
        assert [(c.ip, c.port) for c in one.ice_candidates] == [("192.0.2.1", 5000), ("2001:db8::1", 5000)]
        assert one.ice_candidates[0].priority > one.ice_candidates[1].priority
        assert [codec.mimeType for codec in one.rtp.codecs] == ["audio/opus", "audio/red"]
        assert one.dtls is not None
        assert one.dtls.role == "auto"
    text = sdp.write(OFFER)
    assert "a=ice-lite\r\n" in text
    assert "useinbandfec=0" in text
    assert "cbr=1" in text
    assert text.count("a=ptime:40") == 3
    assert text.count(f"a=fmtp:{sdp.RED} 111/111") == 3
    assert text.index(f"rtpmap:{sdp.OPUS}") < text.index(f"rtpmap:{sdp.RED}")


def test_levels_are_asked_for_only_where_they_are_wanted_and_only_of_the_talker() -> None:
    assert "extmap" not in sdp.write(OFFER)
    uplink, *slots = SessionDescription.parse(sdp.write(replace(OFFER, audio_level=True))).media
    assert [(one.id, one.uri) for one in uplink.rtp.headerExtensions] == [(sdp.LEVEL_ID, sdp.AUDIO_LEVEL)]
    assert all(not slot.rtp.headerExtensions for slot in slots)
    assert sdp.read(ANSWER, slots=2).level_id is None
    taken = ANSWER.replace("a=ssrc:4242", f"a=extmap:{sdp.LEVEL_ID} {sdp.AUDIO_LEVEL}\r\na=ssrc:4242")
    assert sdp.read(taken, slots=2).level_id == sdp.LEVEL_ID


def test_an_answer_is_read() -> None:
    answer = sdp.read(ANSWER, slots=2)
    assert answer.ice == Credentials("abcd", "q" * 24)
    assert answer.role == "server"
    assert answer.fingerprints == (("sha-256", SHA),)
    assert answer.uplink_ssrc == 4242
    assert answer.uplink.accepted
    assert answer.slots == (sdp.Line(True, True), sdp.Line(True, True))


def test_an_answer_without_ssrc_or_red_or_a_slot_is_read() -> None:
    text = HEAD + "\r\n".join(
        [line(0, "sendonly"), line(1, "recvonly").replace("a=rtpmap:63 red/48000/2", "a=x:y"), line(2, "inactive"), ""]
    )
    answer = sdp.read(text, slots=2)
    assert answer.uplink_ssrc is None
    assert answer.slots == (sdp.Line(True, False), sdp.Line(False, False))


def test_a_phone_without_microphone_may_still_listen() -> None:
    text = HEAD + "\r\n".join([line(0, "inactive", port=0), line(1, "recvonly"), line(2, "recvonly"), ""])
    answer = sdp.read(text, slots=2)
    assert not answer.uplink.accepted
    assert answer.slots[0].accepted


@pytest.mark.parametrize(
    ("what", "by", "reason"),
    [
        ("a=setup:active", "a=setup:actpass", "setup"),
        ("a=setup:active", "a=setup:sideways", "not a session"),
        ("a=setup:active", "a=x:y", "setup"),
        ("a=setup:active\r\n", "a=setup:holdconn\r\n", "not a session"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:ab", "ice-ufrag"),
        ("a=ice-ufrag:abcd", "a=ice-ufrag:ab cd", "ice-ufrag"),
        ("a=ice-pwd:" + "q" * 24, "a=ice-pwd:" + "q" * 21, "ice-ufrag"),
        ("a=ice-pwd:" + "q" * 24, "a=x:y", "ice-ufrag"),
        ("a=fingerprint:sha-256", "a=fingerprint:md5", "fingerprint"),
        (SHA, "AB:CD", "fingerprint"),
        (SHA, SHA[:-1] + "G", "fingerprint"),
        ("a=fingerprint:", "a=x:", "fingerprint"),
        ("a=rtcp-mux", "a=x:y", "rtcp-mux"),
        ("m=audio 9", "m=video 9", "audio"),
        ("m=audio 9", "m=audio 0", "accepted"),
        ("opus/48000/2", "PCMU/8000", "opus"),
        ("a=rtpmap:111 opus", "a=rtpmap:112 opus", "opus"),
        ("a=ssrc:4242 ", "a=ssrc:4294967296 ", "ssrc"),
        ("a=ssrc:4242 ", "a=ssrc:0 ", "ssrc"),
        ("a=ssrc:4242 cname:x", "a=ssrc:nonsense", "not a session"),
        ("UDP/TLS/RTP/SAVPF 111 63", "nonsense", "not a session"),
        ("a=mid:2", "a=mid:2\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111", "media lines"),
    ],
)
def test_what_is_no_answer_is_refused_with_a_reason(what: str, by: str, reason: str) -> None:
    assert what in ANSWER
    with pytest.raises(SdpRefused, match=reason):
        sdp.read(ANSWER.replace(what, by), slots=2)


@pytest.mark.parametrize("text", ["", "\r\n", "v=0", HEAD, "{}", "m=", "a=setup", "\0" * 100, "m=audio 9 X 1\r\na=:"])
def test_what_is_no_description_at_all_is_refused(text: str) -> None:
    with pytest.raises(SdpRefused):
        sdp.read(text, slots=2)


def test_an_answer_of_the_greatest_length_and_one_more() -> None:
    filler = "a=x:" + "y" * (sdp.MAX_ANSWER_CHARS - len(ANSWER) - 6) + "\r\n"
    assert len(ANSWER + filler) == sdp.MAX_ANSWER_CHARS
    sdp.read(ANSWER + filler, slots=2)
    with pytest.raises(SdpRefused, match="too long"):
        sdp.read(ANSWER + filler + "\n", slots=2)
