"""The server's offer, read; a phone's answer, written (RFC 8829, RFC 8839, RFC 5763)."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

MAX_CANDIDATES = 64


class OfferNotUnderstood(Exception):
    """The offer lacks what a phone needs; the text says what."""


@dataclass(frozen=True, slots=True)
class Line:
    """One ``m=audio`` line, seen from the server: ``direction`` is what the server does there."""

    mid: str
    direction: str
    opus: int
    ssrc: int | None


@dataclass(frozen=True, slots=True)
class Offer:
    """What of an offer matters to a phone."""

    ufrag: str
    password: str
    fingerprint: str
    lines: tuple[Line, ...]
    candidates: tuple[tuple[str, int], ...]

    @property
    def slots(self) -> tuple[Line, ...]:
        """The lines the server sends on, in their order: the slots."""
        return tuple(line for line in self.lines if line.direction == "sendonly")

    @property
    def uplink(self) -> Line:
        """The line the server receives on."""
        return next(line for line in self.lines if line.direction == "recvonly")


@dataclass(slots=True)
class _Section:
    direction: str = "sendrecv"
    mid: str = ""
    opus: int | None = None
    ssrc: int | None = None
    attributes: dict[str, str] = field(default_factory=dict)
    candidates: list[tuple[str, int]] = field(default_factory=list)

    def take(self, text: str) -> None:
        name, _, value = text.partition(":")
        if name in ("sendonly", "recvonly", "sendrecv", "inactive"):
            self.direction = name
        elif name == "mid":
            self.mid = value
        elif name == "rtpmap" and value.lower().split(" ")[-1].startswith("opus/48000"):
            self.opus = int(value.split(" ")[0])
        elif name == "ssrc" and self.ssrc is None:
            self.ssrc = int(value.split(" ")[0])
        elif name == "candidate" and len(self.candidates) < MAX_CANDIDATES:
            self._candidate(value.split())
        elif name in ("ice-ufrag", "ice-pwd", "fingerprint"):
            self.attributes.setdefault(name, value)

    def _candidate(self, words: list[str]) -> None:
        if words[1] == "1" and words[2].lower() == "udp":
            self.candidates.append((str(ipaddress.ip_address(words[4])), int(words[5])))


def read_offer(sdp: str) -> Offer:
    """Parse the server's offer. Raises `OfferNotUnderstood` and nothing else."""
    session, sections = _Section(), []
    current = session
    try:
        for text in sdp.splitlines():
            if text.startswith("m="):
                current = _Section()
                sections.append(current)
            elif text.startswith("a="):
                current.take(text[2:])
        return _offer(session, sections)
    except (ValueError, IndexError) as problem:
        raise OfferNotUnderstood(f"damaged line: {problem}") from None


def _offer(session: _Section, sections: list[_Section]) -> Offer:
    found = {name: value for part in (*reversed(sections), session) for name, value in part.attributes.items()}
    missing = {"ice-ufrag", "ice-pwd", "fingerprint"} - found.keys()
    if missing:
        raise OfferNotUnderstood(f"no {', '.join(sorted(missing))}")
    lines = tuple(Line(part.mid, part.direction, part.opus, part.ssrc) for part in sections if part.opus is not None)
    if len(lines) < len(sections) or [line.direction for line in lines].count("recvonly") != 1:
        raise OfferNotUnderstood("not one uplink and slots of Opus")
    candidates = tuple(dict.fromkeys(c for part in (session, *sections) for c in part.candidates))
    algorithm, _, digest = found["fingerprint"].partition(" ")
    if algorithm.lower() != "sha-256":
        raise OfferNotUnderstood(f"a fingerprint by {algorithm}")
    return Offer(found["ice-ufrag"], found["ice-pwd"], digest.upper(), lines, candidates)


def choose_address(offer: Offer, host: str) -> tuple[str, int]:
    """Where the phone sends: the candidate on the address it signals to, else the first of the same family.

    Raises `OfferNotUnderstood` when there is no candidate.
    """
    if not offer.candidates:
        raise OfferNotUnderstood("no candidate")
    at = ipaddress.ip_address(host)
    ranked = sorted(
        offer.candidates,
        key=lambda c: (c[0] != host, (here := ipaddress.ip_address(c[0])).version != at.version, here.is_loopback),
    )
    return ranked[0]


_TURNED = {"sendonly": "recvonly", "recvonly": "sendonly", "sendrecv": "sendrecv", "inactive": "inactive"}


def write_answer(offer: Offer, *, ufrag: str, password: str, fingerprint: str, ssrc: int, frame_ms: int = 40) -> str:
    """The answer of a phone that speaks Opus alone; ``ssrc`` is that of its voice."""
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "a=group:BUNDLE " + " ".join(line.mid for line in offer.lines),
        "a=msid-semantic: WMS *",
    ]
    for line in offer.lines:
        lines += [
            f"m=audio 9 UDP/TLS/RTP/SAVPF {line.opus}",
            "c=IN IP4 0.0.0.0",
            "a=rtcp:9 IN IP4 0.0.0.0",
            f"a=mid:{line.mid}",
            f"a={_TURNED[line.direction]}",
            f"a=ice-ufrag:{ufrag}",
            f"a=ice-pwd:{password}",
            "a=ice-options:trickle",
            f"a=fingerprint:sha-256 {fingerprint}",
            "a=setup:active",
            "a=rtcp-mux",
            f"a=rtpmap:{line.opus} opus/48000/2",
            f"a=fmtp:{line.opus} minptime=10;useinbandfec=0;cbr=1",
            f"a=ptime:{frame_ms}",
        ]
        if line.direction == "recvonly":
            lines += ["a=msid:- voice", f"a=ssrc:{ssrc} cname:phone"]
    return "\r\n".join(lines) + "\r\n"
