"""Moments as other systems write them, to ms since the epoch and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

MAX_TIME_CHARS = 64
_SECONDS_UNTIL = 100_000_000_000
"""A plain number below this is seconds (until the year 5138), from here on ms (since 1973)."""


def offset_zone(minutes: int) -> timezone:
    """A zone that lies so many minutes east of UTC all year, as China's does."""
    return timezone(timedelta(minutes=minutes))


def to_ms(value: object, offset_minutes: int = 480, formats: tuple[str, ...] = ()) -> int | None:
    """``value`` in ms: a number of s or ms, ISO 8601, or one of ``formats``; local where it names no offset.

    None when it is no moment, whatever it is.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) <= 16:
        value = int(value)
    if isinstance(value, int | float):
        ms = value * 1000 if abs(value) < _SECONDS_UNTIL else value
        return int(ms) if 0 <= ms <= 253_402_300_799_999 else None
    if not isinstance(value, str) or len(value) > MAX_TIME_CHARS:
        return None
    return _parse(value.strip(), offset_zone(offset_minutes), formats)


def _parse(text: str, zone: timezone, formats: tuple[str, ...]) -> int | None:
    for form in ("", *formats):
        try:
            moment = datetime.strptime(text, form) if form else datetime.fromisoformat(text.replace("/", "-"))  # noqa: DTZ007 the zone follows
            aware = moment if moment.tzinfo else moment.replace(tzinfo=zone)
            ms = int(aware.timestamp() * 1000)
        except (ValueError, OverflowError):
            continue
        return ms if ms >= 0 else None
    return None


def local_text(ms: int, offset_minutes: int = 480, form: str = "%Y-%m-%d %H:%M:%S") -> str:
    """``ms`` on the local clock, written as ``form`` says."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(offset_zone(offset_minutes)).strftime(form)
