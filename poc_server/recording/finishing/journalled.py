"""A recording as the journal keeps it, and a talker's place as a recording tells it."""

from __future__ import annotations

from poc_server.recording.model import Place, Recording
from poc_server.store import BurstPlace, BurstRecord
from poc_server.store.journal.bursts import MAX_HEARERS
from poc_server.store.places import Place as KnownPlace


def record_of(recording: Recording, zone_minutes: int) -> BurstRecord:
    """The journal's form of a recording."""
    meta = recording.meta
    place = meta.place
    return BurstRecord(
        id=int(meta.burst),
        group=meta.group,
        agency=meta.agency,
        user=meta.talker,
        user_name=meta.talker_name,
        node=meta.node,
        started_ms=meta.started_ms,
        ended_ms=recording.ended_ms,
        end=recording.outcome,
        from_ms=meta.from_ms,
        tier=meta.tier,
        priority=meta.priority,
        unit=meta.unit,
        hearers=meta.hearers[:MAX_HEARERS],
        call=meta.call,
        device=meta.device,
        incident=meta.incident,
        duration_ms=recording.duration_ms,
        packets=recording.packets,
        lost=recording.lost,
        unrecorded=recording.unrecorded,
        filled_ms=recording.filled_ms,
        place=BurstPlace(
            longitude=place.longitude,
            latitude=place.latitude,
            source=place.source,
            age_ms=place.age_ms,
            accuracy_m=place.accuracy_m,
            datum=place.datum,
        )
        if place
        else None,
        file=recording.file,
        size=recording.size,
        sha256=recording.sha256,
        peaks=recording.peaks.hex(),
        zone_minutes=zone_minutes,
    )


def place_of(known: KnownPlace | None, at_ms: int) -> Place | None:
    """Where somebody was at ``at_ms``, as far as it is known: with its source and its age."""
    position = known.position if known is not None else None
    if position is None:
        return None
    return Place(
        longitude=position.longitude,
        latitude=position.latitude,
        source=position.source.value,
        age_ms=max(0, at_ms - position.at_ms),
        accuracy_m=position.accuracy_m,
        datum=position.datum.value,
    )
