"""An event on its way out: CloudEvents 1.0 as structured JSON, unless a mapping says it otherwise."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from pydantic import JsonValue

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
TYPE_PREFIX = "poc.incident."


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one incident. ``sequence`` counts within the incident from 1, so that a gap shows.

    ``data`` holds what happened; ``recording`` names a burst whose audio belongs to it, and the link to it is made
    anew at each attempt, for links end sooner than attempts do.
    """

    id: str
    type: str
    incident: str
    sequence: int
    at: int
    data: dict[str, JsonValue] = field(default_factory=dict)
    recording: str | None = None
    agency: str = ""


def cloud_event(event: Event, source: str, data: dict[str, JsonValue]) -> bytes:
    """``event`` carrying ``data``, as UTF-8 JSON. The sequence is that of the CloudEvents extension of this name."""
    made = CloudEvent(
        {
            "id": event.id,
            "source": source,
            "type": TYPE_PREFIX + event.type,
            "subject": event.incident,
            "time": datetime.fromtimestamp(event.at / 1000, UTC),
            "datacontenttype": "application/json",
            "sequence": f"{event.sequence:012d}",
        },
        json.loads(json.dumps(data)),
    )
    return JSONFormat().write(made)
