"""Settings of the media plane. Each limit has its unit in its name or its description."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _plain_address(text: str) -> str:
    """Names are not looked up here: an offer carries numbers (RFC 8839 §5.1)."""
    address = ipaddress.ip_address(text)
    if address.is_unspecified:
        raise ValueError("name the addresses one by one, or none to have them all")
    return str(address)


Address = Annotated[str, AfterValidator(_plain_address)]


class MediaSettings(BaseModel):
    """How a node carries voice. The defaults serve one node of a city; see ``docs/operations.md``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    port: Annotated[int, Field(ge=0, le=65535)] = 0
    """UDP port of all phones, on every address; 0 lets the system choose."""
    listen: tuple[Address, ...] = ()
    """Addresses to listen on. Empty: every address of the machine, IPv4 and IPv6, but link-local ones."""
    announce: tuple[Address, ...] = ()
    """Addresses told to phones, where they differ from those listened on (NAT, containers). Empty: the same."""
    loopback: bool = False
    """Listen on and announce 127.0.0.1 and ::1 as well: for tests and for clients on this machine alone."""
    socket_buffer_bytes: Annotated[int, Field(ge=65_536)] = 4_194_304
    """Asked for in each direction. The default of most kernels holds 256 voice packets, 4 MB hold 10,000."""
    read_batch: Annotated[int, Field(ge=1, le=1024)] = 64
    """Datagrams read from one socket before the loop may do something else."""
    slice_us: Annotated[int, Field(ge=100, le=20_000)] = 2_000
    """Longest stretch of fan-out before the loop may do something else."""
    kernel: Literal["auto", "native", "python"] = "auto"
    """Who seals and sends to audiences: native code, Python, or native code where it was built."""
    hold_ms: Annotated[int, Field(ge=0, le=500)] = 150
    """Voice of before the grant that is kept, and so the longest constant delay of a burst."""
    backlog_s: Annotated[float, Field(ge=1, le=30)] = 6.0
    """Voice that is taken at once after a standstill of the uplink, and relayed at the pace it was spoken in. A group
    may keep the floor for six seconds for a talker who is not heard (T1); more is refused as a flood, also of what
    waits for a grant."""
    end_of_media_ms: Annotated[int, Field(ge=100, le=4_000)] = 500
    """A burst without a packet for so long has stopped."""
    handshake_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Longest time from the first DTLS datagram to keys."""
    handshakes_per_tick: Annotated[int, Field(ge=1, le=64)] = 2
    """DTLS datagrams of connecting phones worked on per turn of the loop; each may cost a millisecond."""
    consent_s: Annotated[float, Field(gt=0, le=300)] = 30.0
    """A phone that proved nothing for so long is gone (RFC 7675)."""
    ask_again_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """A phone shows so often that it still receives where its voice goes to: it is asked with each of its checks till
    it answers, and without an answer it is gone after ``consent_s``."""
    max_slots: Annotated[int, Field(ge=1, le=64)] = 16
    """Most talkers one phone or console may hear at once."""
    ptime_ms: Annotated[int, Field(ge=20, le=60, multiple_of=20)] = 40
    """Length of the packets phones are asked to send."""
    bitrate: Annotated[int, Field(ge=6_000, le=64_000)] = 20_000
    """Bits per second phones are asked to send, constant."""
    audio_level: bool = False
    """Ask phones how loud each packet is (RFC 6464): for metrics and recordings. In the clear, so it tells who listens
    on the way when somebody speaks, as packets of variable size would (RFC 6562)."""
    report_s: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Between two RTCP reports to a talker on his voice."""
    sender_report_s: Annotated[float, Field(gt=0, le=60)] = 30.0
    """Between two RTCP reports to a listener on a slot. They tie voice to a clock that no page reads: every 5 s, the
    least of RFC 3550 §6.2, they were a twentieth of what an audience of 500 costs, and every 10 s not much less, for
    what a report needs of memory nobody else does."""
    warm_up_ms: Annotated[int, Field(ge=0, le=5_000)] = 1_000
    """Silence on each slot of a phone that has just connected: its jitter buffer settles before the first burst."""
    red_loss_percent: Annotated[float, Field(ge=0, le=100)] = 2.0
    """A listener who reports at least this loss is sent each frame twice (RFC 2198)."""
    red_hold_s: Annotated[float, Field(gt=0, le=600)] = 20.0
    """How long after its last bad report a listener is still sent each frame twice."""
