"""The city's own clock and calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

FIRST_MS, LAST_MS = -62_135_467_200_000, 253_402_185_600_000
"""A day within the first and the last that Python's calendar has, in every zone."""


def city_time(at_ms: int, zone_minutes: int) -> datetime:
    """What they show at ``at_ms`` (ms since the epoch), so far ahead of UTC; of a time no calendar has the nearest."""
    within = min(max(at_ms, FIRST_MS), LAST_MS)
    return datetime.fromtimestamp(within // 1000, UTC) + timedelta(minutes=zone_minutes, milliseconds=within % 1000)


def city_day(at_ms: int, zone_minutes: int) -> date:
    """Its day then."""
    return city_time(at_ms, zone_minutes).date()
