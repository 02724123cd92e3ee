"""What the parts of a node count, in Prometheus' words. Read at the scrape; the parts themselves know nothing of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from poc_server.ground.metrics import Reading
from poc_server.media.counters import MediaCounters
from poc_server.store.journal import Journal, OthersJournals
from poc_server.talk.calls.calls import Calls
from poc_server.talk.phones import Phones
from poc_server.talk.talkgroups import Talkgroups
from signaling.endpoint import Endpoint

MEDIA: dict[str, str] = {
    "datagrams_in": "Datagrams of any kind received",
    "voice_in": "Voice packets of connected phones that passed every check",
    "voice_recovered": "Lost voice packets found again in the redundancy of the next",
    "standstills": "Times the voice of a burst stood still: its talker's network or phone",
    "voice_levelled": "Voice packets whose phone told how loud they are",
    "voice_silent": "Voice packets whose phone told that they are digital silence",
    "voice_out": "Voice packets sent to slots",
    "silence_out": "Closing silent frames sent to slots",
    "warming_out": "Packets of silence sent to slots that have just been connected",
    "red_out": "Voice packets sent that carried the frame before as well",
    "stun_in": "STUN messages received",
    "dtls_in": "DTLS datagrams received",
    "rtcp_in": "RTCP packets received",
    "rtcp_out": "RTCP packets sent",
    "unclassified": "Datagrams dropped: of no protocol spoken here",
    "stun_refused": "STUN refused: malformed, unknown, wrong integrity or repeated",
    "asked": "Checks sent to phones that have yet to show that they receive where they say they are",
    "from_unproven": "Datagrams dropped: from an address that has not proved itself",
    "dtls_refused": "DTLS handshakes that failed, timed out or showed another certificate",
    "dtls_overflow": "DTLS datagrams dropped: too many waiting",
    "srtp_refused": "SRTP dropped: wrong key, replayed or cut off",
    "wrong_ssrc": "Voice dropped: not the stream of its phone",
    "bad_voice": "Voice dropped: no Opus packet, or ahead of its time",
    "bad_rtcp": "RTCP dropped: malformed",
    "without_floor": "Voice dropped: its phone had no floor",
    "stale_voice": "Voice dropped: of a burst that had ended",
    "repeated_voice": "Voice dropped: relayed before",
    "send_refused": "Packets the kernel would not take",
    "fanout_late": "Packets not sent because the fan-out was too far behind",
    "kernel_drops": "Datagrams the kernel dropped because they were not read in time",
    "handshakes": "Media paths set up",
    "migrations": "Phones followed to another address",
    "consent_lost": "Media paths lost: the phone proved nothing for too long",
}
"""Every count of the media plane; one that is missing here fails a test. ``connected`` is told by the node."""


def media(counters: MediaCounters) -> Iterator[Reading]:
    """Counts of the media plane."""
    for name, value in dataclasses.asdict(counters).items():
        if name in MEDIA:
            yield f"poc_media_{name}_total", MEDIA[name], value


def talk(phones: Phones, talkgroups: Talkgroups, calls: Calls, endpoint: Endpoint) -> Iterator[Reading]:
    """What goes on at this node."""
    here = phones.here()
    yield "poc_phones", "Phones with a place on this node", len(here)
    yield "poc_phones_connected", "Phones with a socket", sum(p.connection is not None for p in here)
    yield "poc_media_connected", "Phones with a media path", sum(bool(p.peer and p.peer.connected) for p in here)
    yield "poc_groups_active", "Groups with live state on this node", len(talkgroups)
    yield "poc_calls", "Calls going on", len(calls)
    yield "poc_bursts_on_air", "Talk bursts on air now", sum(len(g.bursts) for g in talkgroups.values())
    yield (
        "poc_sockets_passing",
        "Sockets of phones that other nodes serve",
        len(endpoint.passages),
    )
    yield "poc_sockets_passed_on_total", "Sockets that were passed on to another node", endpoint.passed_on
    yield "poc_clients_aborted_total", "Clients aborted because they did not read", endpoint.aborted


def journal(of: Journal, others: OthersJournals) -> Iterator[Reading]:
    """Whether what must be recorded is on its way to disk and to SQL; dead letters also those of ``others``."""
    state = of.state()
    yield "poc_journal_appended_total", "Records taken", state.appended
    yield "poc_journal_applied_total", "Records that stand in SQL", state.applied
    dead = "Records SQL would never take; they lie in the dead letter"
    yield "poc_journal_dead_total", dead, state.dead + others.dead
    yield "poc_journal_lost_total", "Records lost because the disk failed for too long", state.lost
    yield "poc_journal_waiting", "Records in memory that are not on disk yet", state.waiting
    yield "poc_journal_sql_away", "1 while SQL cannot be reached", state.sql_away
    yield "poc_journal_disk_failing", "1 while the disk refuses the journal", state.disk_failing
