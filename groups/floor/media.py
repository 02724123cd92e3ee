"""Moves about the media of a burst, its connection, its tier, and the options of the group."""

from __future__ import annotations

from groups.floor.effects import BurstMoved
from groups.floor.granting import announce
from groups.floor.inputs import SOS_PRIORITY, MediaStarted, MediaStopped, OptionsChanged, Rejoined, TierChanged
from groups.floor.work import Work


def first_media(work: Work) -> None:
    """Voice flows: T1 and T132 off; T2 on if this is the burst's first packet (§6.3.4.4.5)."""
    burst = work.talker
    began = min(max(work.asked(MediaStarted).at, burst.granted_at), work.now)
    limit = burst.limit_at if burst.limit_at is not None else began + work.options.transmit_limit_ms
    work.change(burst, end_of_media_at=None, answer_at=None, limit_at=limit)


def media_again(work: Work) -> None:
    """Voice flows in the grace: T1 off, T3 goes on (§6.3.4.5.3)."""
    work.asked(MediaStarted)
    work.change(work.talker, end_of_media_at=None)


def no_media(work: Work) -> None:
    """T1 counts from the last packet, not from when its absence was noticed."""
    burst = work.talker
    last = min(max(work.asked(MediaStopped).last_packet_at, burst.granted_at), work.now)
    work.change(burst, end_of_media_at=last + work.options.end_of_media_ms)


def move_talker(work: Work) -> None:
    """The talker came back on another connection; T1 gives him time to be heard from there."""
    back = work.asked(Rejoined)
    burst = work.change(work.talker, key=back.key, end_of_media_at=work.now + work.options.end_of_media_ms)
    work.effects.append(BurstMoved(burst.burst, burst.user, back.key))


def raise_tier(work: Work) -> None:
    """The talker's emergency state changed in mid-burst: the running burst counts for more, or less."""
    asked, burst = work.asked(TierChanged), work.talker
    priority = SOS_PRIORITY if asked.sos else burst.priority
    announce(work, work.change(burst, tier=asked.tier, sos=asked.sos, priority=priority))


def set_options(work: Work) -> None:
    """The next timer that starts has the new length; those that run keep theirs."""
    work.options = work.asked(OptionsChanged).options
