"""What an export lists: each burst, photo and note with all that is known of it, for programs and spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from groups.vocabulary import GroupId
from poc_server.ground.city_time import city_time
from poc_server.recording.keeping.watermark import lines_of
from poc_server.store.records.recordings import Found

COLUMNS = (
    "kind", "id", "group", "group_name", "burst", "call", "incident", "talker", "talker_name", "device", "node", "tier",
    "started", "ended", "kept", "device_time", "clock_offset_ms", "end", "duration_ms", "packets", "lost", "unrecorded",
    "filled_ms", "longitude", "latitude", "datum", "accuracy_m", "place_source", "place_age_ms", "cell", "cell_source",
    "origin", "note", "media_type", "file", "size", "sha256",
)  # fmt: skip
"""Of the spreadsheet. ``started``, ``ended``, ``kept`` by the server's clock, ``device_time`` by that of the device."""


def burst_item(row: Found, groups: Mapping[GroupId, str]) -> dict[str, Any]:
    """One burst of the list; ``missing`` is still to be said."""
    return {
        "kind": "burst",
        "id": row.key,
        "group": row.group_id,
        "group_name": groups.get(row.group_id, ""),
        "burst": row.id,
        "call": row.call_id,
        "incident": row.incident,
        "talker": row.user_id,
        "talker_name": row.user_name,
        "device": row.device_id,
        "node": row.node,
        "tier": row.tier,
        "started_ms": row.started_ms,
        "ended_ms": row.ended_ms,
        "kept_ms": row.kept_ms,
        "end": row.end_reason,
        "duration_ms": row.duration_ms,
        "packets": row.packets,
        "lost": row.lost,
        "unrecorded": row.unrecorded,
        "filled_ms": row.filled_ms,
        "place": row.place,
        "file": f"files/{row.file}" if row.file else "",
        "size": row.size,
        "sha256": row.sha256,
        "peaks": list(row.peaks),
    }


def material_item(row: Any, groups: Mapping[GroupId, str], zone_minutes: int) -> dict[str, Any]:
    """One photo or note of the list, with the lines of its watermark."""
    names = (
        "id", "kind", "incident", "note", "origin", "taken_ms", "clock_offset_ms", "kept_ms", "place", "cell",
        "media_type", "size", "sha256",
    )  # fmt: skip
    return {
        **{name: getattr(row, name) for name in names},
        "group": row.group_id,
        "group_name": groups.get(row.group_id, ""),
        "user": row.user_id,
        "user_name": row.user_name,
        "device": row.device_id,
        "file": f"files/{row.file}" if row.file else "",
        "lines": lines_of(row, zone_minutes),
    }


def table(bursts: Iterable[dict[str, Any]], materials: Iterable[dict[str, Any]], zone_minutes: int) -> str:
    """All of it as CSV (RFC 4180)."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, extrasaction="ignore", lineterminator="\r\n")
    writer.writeheader()
    for item in (*bursts, *(_material_row(each, zone_minutes) for each in materials)):
        place = item["place"] or {}
        flat = {
            **item,
            **{name: place.get(name) for name in ("longitude", "latitude", "datum", "accuracy_m")},
            "place_source": place.get("source"),
            "place_age_ms": place.get("age_ms"),
            **{name: local_time(item[f"{name}_ms"], zone_minutes) for name in ("started", "ended", "kept")},
        }
        writer.writerow({name: _harmless(value) for name, value in flat.items()})
    return text.getvalue()


def local_time(at_ms: int, zone_minutes: int) -> str:
    """ISO 8601 in the city's zone. ``at_ms``: since the epoch; ``zone_minutes``: ahead of UTC."""
    local = city_time(at_ms, zone_minutes)
    sign, size = ("+", zone_minutes) if zone_minutes >= 0 else ("-", -zone_minutes)
    return f"{local:%Y-%m-%dT%H:%M:%S}.{local.microsecond // 1000:03d}{sign}{size // 60:02d}:{size % 60:02d}"


def _material_row(sent: dict[str, Any], zone_minutes: int) -> dict[str, Any]:
    taken = sent["taken_ms"] + sent["clock_offset_ms"]
    place, cell = dict(sent["place"] or {}), sent["cell"] or {}
    if "at_ms" in place:
        place["age_ms"] = max(0, sent["taken_ms"] - place["at_ms"])
    return {
        **sent,
        "talker": sent["user"],
        "talker_name": sent["user_name"],
        "started_ms": taken,
        "ended_ms": taken,
        "device_time": local_time(sent["taken_ms"], zone_minutes),
        "place": place,
        "cell": cell.get("id"),
        "cell_source": cell.get("source"),
    }


def _harmless(value: Any) -> Any:
    """A spreadsheet must not take a name for a formula."""
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
