"""The outward half of the check of a mapping file: every call it makes of an event, rendered on a sample."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

from pydantic import JsonValue, SecretStr

from gateway.checking.findings import Finding, Level
from gateway.delivery.events import Event
from gateway.delivery.outbound import Materials, NotWanted, context, render
from gateway.delivery.receiver import Receiver
from gateway.incidents.effects import EventType
from gateway.incidents.incident import facts_of
from gateway.incidents.incident_state import new_incident
from gateway.incidents.lifecycle import NewsArrived, handle
from gateway.mapping.expressions import paths_in, search, tables_in
from gateway.mapping.inbound import Item
from gateway.mapping.mapping import PLACEHOLDER, Call, MappingFile

_RECEIVER = Receiver.model_validate(
    {"id": "sample", "url": "http://receiver.example", "secrets": [SecretStr("whsec_c2FtcGxlLXNhbXBsZS1zYW1wbGU=")]}
)
_USER = "u-sample"
_WHOLE = ("event", "incident")
"""Of these it is known what they hold, whatever the event."""


def check_calls(mapping: MappingFile, items: tuple[Item, ...]) -> Iterator[Finding]:
    """What becomes of each event, for the first case of the sample that could be read."""
    if mapping.outbound is None:
        yield Finding(Level.NOTE, "out", "no [out]: events go as CloudEvents in Standard Webhooks")
        return
    if unsent := [one.value for one in EventType if one not in mapping.outbound.calls]:
        yield Finding(Level.NOTE, "out", f"no call for, so not sent: {', '.join(unsent)}")
    sample = next((item for item in items if item.document and item.code), None)
    if sample is None:
        return
    for event_type, call in mapping.outbound.calls.items():
        yield from _call(mapping, sample, event_type, call)


def expressions_out(mapping: MappingFile) -> Iterator[str]:
    """Every expression of ``[out]`` that reads an event."""
    for call in mapping.outbound.calls.values() if mapping.outbound else ():
        yield from (expression for _, expression in _expressions(call))


def _call(mapping: MappingFile, sample: Item, event_type: EventType, call: Call) -> Iterator[Finding]:
    event, materials = _sample_event(sample, event_type)
    data, where = context(event, materials), f"out.{event_type.value}"
    for place, expression in _expressions(call):
        for why in _cannot_find(mapping, data, expression):
            yield Finding(Level.WRONG, where, f"{place}: {why}")
    try:
        request = render(_RECEIVER, mapping, event, materials, "/sample", event.at)
    except NotWanted:
        yield Finding(Level.NOTE, where, "its `when` does not hold for this sample")
        return
    yield Finding(Level.OK, where, f"{request.method} {request.url} {request.headers.get('content-type', '')}")
    for place, expression in _expressions(call):
        if search(expression, data, mapping.surroundings) is None:
            yield Finding(Level.NOTE, where, f"{place} finds nothing")


def _cannot_find(mapping: MappingFile, data: dict[str, JsonValue], expression: str) -> Iterator[str]:
    """What an expression reads that is never there, whatever happens."""
    for root, name in sorted(paths_in(expression)):
        if root not in data:
            yield f"there is no {root}, only {', '.join(data)}"
        elif root in _WHOLE and name and name not in data[root]:  # type: ignore[operator] # both are objects
            yield f"{root} has no {name}"
        elif root == "data" and name and name not in told_by_any():
            yield f"no event has data.{name}"
    for table in sorted(tables_in(expression) - mapping.values.keys()):
        yield f"[values.{table}] is not there"


@cache
def told_by_any() -> frozenset[str]:
    """Every name that stands in ``data`` of some event; what one event lacks may be meant for another."""
    return frozenset(name for event_type in EventType for name in _data(event_type, 0))


def _expressions(call: Call) -> Iterator[tuple[str, str]]:
    """Where in the call each stands, and itself."""
    yield from ((f"path {{{expression}}}", expression) for expression in PLACEHOLDER.findall(call.path))
    yield from ((f"headers.{name}", expression) for name, expression in call.headers.items())
    yield from _leaves(call.body, "body")
    if call.when:
        yield "when", call.when


def _leaves(template: object, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(template, str):
        yield path, template
    elif isinstance(template, dict):
        for name, child in template.items():
            yield from _leaves(child, f"{path}.{name}")
    elif isinstance(template, list):
        for number, child in enumerate(template):
            yield from _leaves(child, f"{path}.{number}")


def _sample_event(sample: Item, event_type: EventType) -> tuple[Event, Materials]:
    """An event of this type as it might happen, with all that there may be."""
    assert sample.document is not None and sample.code is not None  # noqa: S101, PT018 the caller looked
    at = sample.document.at or 1_700_000_000_000
    state, _ = handle(new_incident(sample.code), NewsArrived(sample.document.news(at)), at)
    linked: dict[str, JsonValue] = {"expires_ms": at + 1, "size": _SIZE, "sha256": _SHA256}
    recording = photo = None
    if event_type is EventType.BURST:
        said: dict[str, JsonValue] = {"url": "https://poc.example/r/1", "media_type": "audio/ogg; codecs=opus"}
        recording = {**said, **_lasted(at), **linked}
    if event_type is EventType.PHOTO:
        photo = {"url": "https://poc.example/p/1", "media_type": "image/jpeg", **linked}
    key = "1" if recording else None
    data = _data(event_type, at)
    event = Event(f"{state.code}/1/{event_type}", event_type.value, state.code, 1, at, data, recording=key)
    incident: dict[str, JsonValue] = {**facts_of(state.incident), "members": [_USER], "address_state": "open"}
    people: dict[str, JsonValue] = {_USER: {"name": "Sample", "badge": "0001"}}
    return event, Materials(incident, recording, b"OggS" if recording else None, people, photo)


_SIZE, _SHA256 = 12_345, "0" * 64


def _lasted(at: int) -> dict[str, JsonValue]:
    return {"started_ms": at, "ended_ms": at + 4_690, "duration_ms": 4_690}


def _data(event_type: EventType, at: int) -> dict[str, JsonValue]:
    """Everything that an event of this type may tell beside its recording or photo."""
    place: dict[str, JsonValue] = {"longitude": 114.3, "latitude": 30.6, "source": "gps", "age_ms": 0}
    place |= {"accuracy_m": 5.0, "datum": "WGS-84"}
    one: dict[str, JsonValue] = {"user": _USER, "name": "Sample"}
    shown: dict[str, JsonValue] = {**one, "group": "g", "note": "note", "taken_ms": at, "place": place}
    shown |= {"clock_offset_ms": 0}
    match event_type:
        case EventType.OPENED | EventType.PARKED | EventType.CLOSED | EventType.REMOVED:
            return {}
        case EventType.MEMBERS:
            return {"joined": [_USER], "left": []}
        case EventType.BURST:
            burst: dict[str, JsonValue] = {"group": "g", "recording": "1", "burst": 1, "tier": 0, "end": "released"}
            return {**one, **burst, **_lasted(at), "sha256": _SHA256, "place": place, "tied_by": _USER}
        case EventType.EMERGENCY:
            claimed: dict[str, JsonValue] = {"id": _USER, "name": "Sample"}
            return {**one, "alert": "1", "state": "claimed", "claimed_by": claimed, "place": place, "covert": False}
        case EventType.PHOTO:
            file: dict[str, JsonValue] = {"sha256": _SHA256, "media_type": "image/jpeg", "size": _SIZE}
            return {**shown, "photo": "1", "origin": "camera", **file}
        case EventType.NOTE:
            return shown
        case _:
            return one
