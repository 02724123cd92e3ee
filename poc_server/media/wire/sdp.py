"""Session descriptions (RFC 8866, JSEP): the offer is written by hand, the answer is read through aiortc's parser.

The server offers once per connection: a line the phone sends on (``recvonly`` for us) and N ``sendonly`` slots, all in
one bundle. Nothing is renegotiated for calls; only an ICE restart makes a second offer.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from aiortc.sdp import SessionDescription

from poc_server.media.wire.ice import Credentials

OPUS = 111
RED = 63
"""Payload types of every line, the ones browsers use themselves."""
_OPUS_FORMAT = "minptime=10;useinbandfec=0;usedtx=0;cbr=1;stereo=0;sprop-stereo=0"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
LEVEL_ID = 1
MAX_ANSWER_CHARS = 65_536
_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PASSWORD = re.compile(r"[A-Za-z0-9+/]{22,256}")
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){31,63}")
_ALGORITHMS = frozenset({"sha-256", "sha-384", "sha-512"})


class SdpRefused(ValueError):
    """An answer that is no answer to our offer. The text names what is wrong, for the client's developer."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Everything an offer says of one phone. ``candidates`` are (host, port); ``slots`` the SSRCs of the slots."""

    session: int
    version: int
    ice: Credentials
    fingerprint: str
    candidates: Sequence[tuple[str, int]]
    slots: Sequence[int]
    ptime_ms: int
    bitrate: int
    audio_level: bool = False
    """The phone is asked to send RFC 6464 levels."""


@dataclass(frozen=True, slots=True)
class Line:
    """What the phone said to one media line."""

    accepted: bool
    red: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What is needed of an answer. ``role`` is ours in the DTLS handshake; fingerprints are (algorithm, value)."""

    ice: Credentials
    role: Literal["client", "server"]
    fingerprints: tuple[tuple[str, str], ...]
    uplink: Line
    uplink_ssrc: int | None
    level_id: int | None
    """Number of the header extension with RFC 6464 levels, where the phone sends them."""
    slots: tuple[Line, ...]


def write(offer: Offer) -> str:
    """The text of ``offer``."""
    lines = [
        "v=0",
        f"o=- {offer.session} {offer.version} IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        "a=group:BUNDLE " + " ".join(str(mid) for mid in range(len(offer.slots) + 1)),
        "a=msid-semantic: WMS *",
    ]
    lines += _media(offer, 0, "recvonly")
    if offer.audio_level:
        lines.append(f"a=extmap:{LEVEL_ID} {AUDIO_LEVEL}")
    for index, ssrc in enumerate(offer.slots):
        lines += _media(offer, index + 1, "sendonly")
        lines += [
            f"a=msid:slot{index} voice{index}",
            f"a=ssrc:{ssrc} cname:poc",
            f"a=ssrc:{ssrc} msid:slot{index} voice{index}",
        ]
    return "\r\n".join(lines) + "\r\n"


def _media(offer: Offer, mid: int, direction: str) -> list[str]:
    host, port = offer.candidates[0] if offer.candidates else ("0.0.0.0", 9)  # noqa: S104 - SDP's "nowhere yet"
    return [
        f"m=audio {port} UDP/TLS/RTP/SAVPF {OPUS} {RED}",
        f"c=IN IP{ipaddress.ip_address(host).version} {host}",
        f"a=mid:{mid}",
        f"a={direction}",
        f"a=ice-ufrag:{offer.ice.ufrag}",
        f"a=ice-pwd:{offer.ice.password}",
        f"a=fingerprint:sha-256 {offer.fingerprint}",
        "a=setup:actpass",
        "a=rtcp-mux",
        f"a=rtpmap:{OPUS} opus/48000/2",
        f"a=fmtp:{OPUS} {_OPUS_FORMAT};maxaveragebitrate={offer.bitrate}",
        f"a=rtpmap:{RED} red/48000/2",
        f"a=fmtp:{RED} {OPUS}/{OPUS}",
        f"a=ptime:{offer.ptime_ms}",
        f"a=maxptime:{offer.ptime_ms}",
        # In every line, though the bundle has one transport: which line's candidates count differs between clients.
        *(
            f"a=candidate:{number} 1 udp {_priority(number)} {host} {port} typ host"
            for number, (host, port) in enumerate(offer.candidates, 1)
        ),
        "a=end-of-candidates",
    ]


def _priority(number: int) -> int:
    """RFC 8445 §5.1.2.1 for host candidates, in the order they are listed."""
    return 126 << 24 | max(0, 65_536 - number) << 8 | 255


def read(text: str, slots: int) -> Answer:
    """Read an answer to an offer with ``slots`` slots.

    Raises:
        SdpRefused: whatever is wrong with it.
    """
    if len(text) > MAX_ANSWER_CHARS:
        raise SdpRefused("too long")
    try:
        return _read(text, slots)
    except SdpRefused:
        raise
    except Exception as error:  # the parser raises AssertionError, KeyError, StopIteration, … on what is no SDP
        raise SdpRefused("not a session description") from error


def _read(text: str, slots: int) -> Answer:
    media = SessionDescription.parse(text).media
    if len(media) != slots + 1:
        raise SdpRefused(f"{len(media)} media lines where {slots + 1} were offered")
    taken = [one for one in media if one.port != 0]
    if not taken:
        raise SdpRefused("no media line accepted")
    first = taken[0]
    if any(one.kind != "audio" for one in media) or not first.rtcp_mux:
        raise SdpRefused("only audio with rtcp-mux was offered")
    if first.dtls is None:
        raise SdpRefused("no setup attribute")
    uplink = media[0]
    ssrcs = [int(one.ssrc) for one in uplink.ssrc]
    if any(not 0 < ssrc < 1 << 32 for ssrc in ssrcs):
        raise SdpRefused("ssrc out of range")
    return Answer(
        ice=_credentials(first.ice),
        role=_role(first.dtls.role),
        fingerprints=_fingerprints(first.dtls.fingerprints),
        uplink=_line(uplink),
        uplink_ssrc=ssrcs[0] if ssrcs else None,
        level_id=LEVEL_ID if any(one.uri == AUDIO_LEVEL for one in uplink.rtp.headerExtensions) else None,
        slots=tuple(_line(one) for one in media[1:]),
    )


def _credentials(ice: Any) -> Credentials:
    ufrag, password = ice.usernameFragment or "", ice.password or ""
    if not _UFRAG.fullmatch(ufrag) or not _PASSWORD.fullmatch(password):
        raise SdpRefused("no ice-ufrag and ice-pwd")
    return Credentials(ufrag, password)


def _role(theirs: str) -> Literal["client", "server"]:
    if theirs == "client":
        return "server"
    if theirs == "server":
        return "client"
    raise SdpRefused("setup must be active or passive")


def _fingerprints(given: list[Any]) -> tuple[tuple[str, str], ...]:
    known = tuple((one.algorithm.lower(), one.value.upper()) for one in given if one.algorithm.lower() in _ALGORITHMS)
    if not known or any(not _FINGERPRINT.fullmatch(value) for _, value in known):
        raise SdpRefused("no usable fingerprint")
    return known


def _line(media: Any) -> Line:
    codecs = {codec.payloadType: codec.mimeType.lower() for codec in media.rtp.codecs}
    if media.port == 0 or media.direction == "inactive":
        return Line(accepted=False, red=False)
    if codecs.get(OPUS) != "audio/opus":
        raise SdpRefused(f"opus must keep payload type {OPUS}")
    return Line(accepted=True, red=codecs.get(RED) == "audio/red")
