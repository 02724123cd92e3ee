"""Tries a mapping file on a sample, both ways, and says what is missing: for the one who writes the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from typing import Any

from pydantic import JsonValue, SecretStr

from gateway.effects import EventType
from gateway.events import Event
from gateway.expressions import names_in
from gateway.inbound import Item, read_items
from gateway.incident import State, facts_of
from gateway.lifecycle import NewsArrived, handle, new_incident
from gateway.mapping import PLAIN_FIELDS, Call, MappingFile
from gateway.outbound import Materials, NotWanted, context, fill, render
from gateway.receiver import Receiver
from gateway.steps import Step

_SECRET = SecretStr("whsec_c2FtcGxlLXNhbXBsZS1zYW1wbGU=")
_NEEDED_STATES = (State.DISPATCHED, State.CLOSED)
_NEEDED_STEPS = (Step.DISPATCH, Step.CLOSE)
_SHOWN_CHARS = 80


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report: in or out, which field, what of it."""

    level: Level
    where: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What was found. ``ok``: nothing is wrong, though there may be notes."""

    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the mapping can be used as it is."""
        return all(finding.level is not Level.WRONG for finding in self.findings)

    def lines(self) -> Iterator[str]:
        """The report as text."""
        for finding in self.findings:
            yield f"{finding.level.value:5}  {finding.where:28}  {finding.text}"


def check(mapping: MappingFile, sample: JsonValue) -> Report:
    """Reads ``sample`` as a delivery of theirs, and renders every event to a call of theirs."""
    items = tuple(read_items(mapping, sample))
    findings = (*_items(mapping, items), *_unused(mapping, sample), *_words(mapping), *_calls(mapping, items))
    return Report(findings)


def _items(mapping: MappingFile, items: tuple[Item, ...]) -> Iterator[Finding]:
    if not items:
        yield Finding(Level.WRONG, "in.items", f"finds no case: {mapping.items}")
    for number, item in enumerate(items, 1):
        prefix = f"in #{number}" if len(items) > 1 else "in"
        for fault in item.faults:
            yield Finding(Level.WRONG if fault.fatal else Level.NOTE, f"{prefix}.{fault.field}", fault.why)
        if item.document is None:
            continue
        faulty = {fault.field for fault in item.faults}
        yield Finding(Level.OK, f"{prefix}.code", str(item.code))
        for name in (*PLAIN_FIELDS[1:], "point", "parties", "limits", "files"):
            value = getattr(item.document, name)
            if value not in (None, ""):
                yield Finding(Level.OK, f"{prefix}.{name}", _short(value))
            elif name not in faulty and _is_mapped(mapping, name):
                yield Finding(Level.NOTE, f"{prefix}.{name}", "nothing found in this sample")


def _is_mapped(mapping: MappingFile, name: str) -> bool:
    return bool(getattr(mapping.inbound, "lon" if name == "point" else name))


def _unused(mapping: MappingFile, sample: JsonValue) -> Iterator[Finding]:
    """Fields of the sample that no expression reads: perhaps forgotten."""
    read: set[str] = set()
    for expression in _expressions(mapping):
        read |= names_in(expression)
    for name in sorted(_leaf_names(sample) - read):
        yield Finding(Level.NOTE, "in", f"the sample's {name} is not read")


def _expressions(mapping: MappingFile) -> Iterator[str]:
    inbound = mapping.inbound
    plain = [getattr(inbound, name) for name in (*PLAIN_FIELDS, "lon", "lat")]
    limits = [expression for limit in inbound.limits for expression in (limit.due, limit.allowed)]
    found = [mapping.items, *plain, *limits, *inbound.parties.values(), *inbound.files.values()]
    yield from (expression for expression in found if expression and not expression.startswith("@"))


def _leaf_names(value: JsonValue) -> set[str]:
    names: set[str] = set()
    todo: list[tuple[str, Any]] = [("", value)]
    while todo:
        name, one = todo.pop()
        if isinstance(one, dict):
            todo += one.items()
        elif isinstance(one, list) and any(isinstance(child, dict | list) for child in one):
            todo += [(name, child) for child in one]
        elif name:
            names.add(name)
    return names


def _words(mapping: MappingFile) -> Iterator[Finding]:
    """Whether the value tables lead where they must, and nowhere that is not."""
    inbound = mapping.inbound
    if inbound.state is None and inbound.step is None:
        yield Finding(Level.WRONG, "in.state, in.step", "one of both is needed, else nothing is ever dispatched")
    if not inbound.parties:
        yield Finding(Level.NOTE, "in.parties", "none: the group of a case has nobody in it")
    for name, known, needed in (("state", State, _NEEDED_STATES), ("step", Step, _NEEDED_STEPS)):
        if getattr(inbound, name) is None:
            continue
        table = mapping.values.get(name)
        if table is None:
            yield Finding(Level.NOTE, f"values.{name}", "no table: their words must be ours")
            continue
        reached = set(table.values())
        for word in sorted(reached - {*(one.value for one in known), ""}):
            yield Finding(Level.WRONG, f"values.{name}", f"{word} is none of: {', '.join(one.value for one in known)}")
        lost = [one for one in known if one.value not in reached]
        for level, words in (
            (Level.WRONG, [o for o in lost if o in needed]),
            (Level.NOTE, [o for o in lost if o not in needed]),
        ):
            if words:
                yield Finding(level, f"values.{name}", f"nothing leads to {', '.join(one.value for one in words)}")


def _calls(mapping: MappingFile, items: tuple[Item, ...]) -> Iterator[Finding]:
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


def _call(mapping: MappingFile, sample: Item, event_type: EventType, call: Call) -> Iterator[Finding]:
    event, materials = _sample_event(sample, event_type)
    receiver = Receiver.model_validate({"id": "sample", "url": "http://receiver.example", "secrets": [_SECRET]})
    where = f"out.{event_type.value}"
    try:
        request = render(receiver, mapping, event, materials, "/sample", event.at)
    except NotWanted:
        yield Finding(Level.NOTE, where, "its `when` does not hold for this sample")
        return
    yield Finding(Level.OK, where, f"{request.method} {request.url} {request.headers.get('content-type', '')}")
    for path, value in _leaves(fill(dict(call.body), context(event, materials), mapping.surroundings)):
        if value is None:
            yield Finding(Level.NOTE, where, f"body.{path} finds nothing")


def _sample_event(sample: Item, event_type: EventType) -> tuple[Event, Materials]:
    assert sample.document is not None and sample.code is not None  # noqa: S101, PT018 the caller looked
    at = sample.document.at or 1_700_000_000_000
    state, _ = handle(new_incident(sample.code), NewsArrived(sample.document.news(at)), at)
    recording: dict[str, JsonValue] = {
        "url": "https://poc.example/r/1",
        "started_ms": at,
        "duration_ms": 4_690,
        "expires_ms": at + 1,
    }
    data: dict[str, JsonValue] = {"user": "u-sample", "name": "Sample", "url": "https://poc.example/f/1"}
    event = Event(f"{state.code}/1/{event_type}", event_type.value, state.code, 1, at, data, recording="1")
    people: dict[str, JsonValue] = {"u-sample": {"name": "Sample", "badge": "0001"}}
    photo: dict[str, JsonValue] = {"url": "https://poc.example/p/1", "expires_ms": at + 1, "media_type": "image/jpeg"}
    return event, Materials(facts_of(state.incident), recording, b"OggS", people, photo)


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from _leaves(child, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return f"{len(value)}: " + ", ".join(_short(one) for one in value)[:_SHOWN_CHARS]
    if is_dataclass(value):
        told = (getattr(value, field.name) for field in fields(value))
        return " ".join(str(one) for one in told if one not in (None, False))[:_SHOWN_CHARS]
    return str(value)[:_SHOWN_CHARS]
