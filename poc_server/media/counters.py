"""Counts of the media plane: plain integers, bumped on the packet path, read by the metrics."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class MediaCounters:
    """What came in, what went out and what was dropped, by reason, since the edge was opened."""

    datagrams_in: int = 0
    voice_in: int = 0
    """Voice packets of connected phones that passed every check."""
    voice_recovered: int = 0
    """Lost voice packets found again in the redundancy of the next."""
    standstills: int = 0
    """Times a burst stood still for longer than a jitter buffer holds: its talker's uplink did, or his phone."""
    voice_levelled: int = 0
    """Voice packets whose phone told how loud they are (``media.audio_level``)."""
    voice_silent: int = 0
    """Of those: digital silence. Much more than the tenth of a second that ends each burst is a dead microphone."""
    voice_out: int = 0
    """Voice packets sent to slots."""
    silence_out: int = 0
    """Closing silent frames sent to slots."""
    warming_out: int = 0
    """Packets of silence sent to slots of phones that have just connected."""
    red_out: int = 0
    """Voice packets of ``voice_out`` that carried the frame before as well."""
    stun_in: int = 0
    dtls_in: int = 0
    rtcp_in: int = 0
    rtcp_out: int = 0

    unclassified: int = 0
    """First byte of no protocol spoken here (RFC 7983)."""
    stun_refused: int = 0
    """Not STUN, unknown ufrag, wrong integrity, repeated transaction, an answer to nothing that was asked there."""
    asked: int = 0
    """Checks of ours, sent with the reply to a phone's at an address where it has not lately shown that it receives."""
    from_unproven: int = 0
    """DTLS or SRTP from an address from which no connectivity check has come."""
    dtls_refused: int = 0
    """Handshakes that failed, timed out, or showed another certificate than the answer named."""
    dtls_overflow: int = 0
    srtp_refused: int = 0
    """Wrong key, replayed, cut off."""
    wrong_ssrc: int = 0
    bad_voice: int = 0
    """Unknown payload type, no Opus packet, too large, more than can have been spoken, a jump of the timestamps."""
    bad_rtcp: int = 0
    without_floor: int = 0
    """Voice from one who had no floor: heard by nobody."""
    stale_voice: int = 0
    """Voice of an earlier burst that arrived after its end."""
    repeated_voice: int = 0
    """Voice the relay already carried under this number."""
    send_refused: int = 0
    """Packets the kernel would not take: send buffer full or address unreachable."""
    fanout_late: int = 0
    """Packets not sent because the fan-out was too far behind."""
    kernel_drops: int = 0
    """Datagrams the kernel dropped because this process did not read in time."""

    connected: int = 0
    """Phones with a media path, now."""
    handshakes: int = 0
    """Media paths set up."""
    migrations: int = 0
    """Phones followed to another address."""
    consent_lost: int = 0
