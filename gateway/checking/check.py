"""Tries a mapping file on a sample, both ways, and says what is missing: for the one who writes the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from pydantic import JsonValue

from gateway.checking.check_out import check_calls, expressions_out
from gateway.checking.findings import Finding, Level, Report
from gateway.incidents.document import EARLIEST_MS, LATEST_MS, BadDocument, read_document
from gateway.incidents.incident import State
from gateway.incidents.steps import Step
from gateway.mapping.expressions import names_in, search, tables_in
from gateway.mapping.inbound import NOT_FOUND, Item, items_of, read_items
from gateway.mapping.mapping import PLAIN_FIELDS, MappingFile

_NEEDED_STATES = (State.DISPATCHED, State.CLOSED)
_NEEDED_STEPS = (Step.DISPATCH, Step.CLOSE)
_SHOWN_CHARS = 80


def check(mapping: MappingFile, sample: JsonValue, public_url: str) -> Report:
    """Reads ``sample`` as a delivery of theirs, and renders every event to a call of theirs.

    ``public_url``: what links begin with; empty where that is not set.
    """
    items = tuple(read_items(mapping, sample))
    inward = (*_items(mapping, items), *_parts(mapping, sample), *_unread(mapping, sample))
    words = (*_words(mapping), *_other_words(mapping), *_unused_tables(mapping))
    return Report((*inward, *words, *check_calls(mapping, items), *_links(public_url)))


def _items(mapping: MappingFile, items: tuple[Item, ...]) -> Iterator[Finding]:
    if not items:
        yield Finding(Level.WRONG, "in.items", f"finds no case: {mapping.items}")
    for number, item in enumerate(items, 1):
        prefix = f"in #{number}" if len(items) > 1 else "in"
        for fault in item.faults:
            why = _nothing(_expression(mapping, fault.field)) if fault.why == NOT_FOUND else fault.why
            yield Finding(Level.WRONG if fault.fatal else Level.NOTE, f"{prefix}.{fault.field}", why)
        if item.document is None:
            continue
        faulty = {fault.field for fault in item.faults}
        yield Finding(Level.OK, f"{prefix}.code", str(item.code))
        for name in (*PLAIN_FIELDS[1:], "point", "parties", "limits", "files"):
            value = getattr(item.document, name)
            if value not in (None, "", ()):
                yield Finding(Level.OK, f"{prefix}.{name}", _short(value) + _moment(mapping, name, value))
            elif name not in faulty and _is_mapped(mapping, name):
                yield Finding(Level.NOTE, f"{prefix}.{name}", _nothing(_expression(mapping, name)))


def _moment(mapping: MappingFile, name: str, value: object) -> str:
    """When that is by the clock of those who maintain the other system: whoever took a wrong zone sees it."""
    if name not in ("at", "version") or not isinstance(value, int) or not EARLIEST_MS <= value <= LATEST_MS:
        return ""
    zone = timezone(timedelta(minutes=mapping.utc_offset_minutes))
    return f" = {datetime.fromtimestamp(value / 1000, zone).isoformat(' ', 'seconds')}"


def _expression(mapping: MappingFile, name: str) -> str:
    inbound = mapping.inbound
    return f"{inbound.lon} or {inbound.lat}" if name == "point" else str(getattr(inbound, name))


def _nothing(expression: str) -> str:
    return f"{expression} finds nothing in this sample"


def _is_mapped(mapping: MappingFile, name: str) -> bool:
    """Whether a field is read by one expression; of those that are read by several `_parts` tells."""
    return name not in ("parties", "files", "limits") and bool(
        getattr(mapping.inbound, "lon" if name == "point" else name)
    )


def _parts(mapping: MappingFile, sample: JsonValue) -> Iterator[Finding]:
    """Which kinds of party, file and limit are found in no case of the sample."""
    inbound, items = mapping.inbound, items_of(mapping, sample)
    wanted = [(f"parties.{kind.value}", expression) for kind, expression in inbound.parties.items()]
    wanted += [(f"files.{kind.value}", expression) for kind, expression in inbound.files.items()]
    for limit in inbound.limits:
        named = (("due", limit.due), ("allowed", limit.allowed))
        wanted += [(f"limits.{limit.stage.value}.{name}", each) for name, each in named if each]
    for name, expression in wanted:
        # A list of which no part has what is asked for is empty, not missing.
        if items and all(search(expression, item, mapping.surroundings) in (None, "", []) for item in items):
            yield Finding(Level.NOTE, f"in.{name}", _nothing(expression))


def _unread(mapping: MappingFile, sample: JsonValue) -> Iterator[Finding]:
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


def _other_words(mapping: MappingFile) -> Iterator[Finding]:
    """Whether every word that a value table leads to may stand in its field."""
    for name in sorted(mapping.values.keys() & set(PLAIN_FIELDS) - {"code", "state", "step"}):
        for word in sorted(set(mapping.values[name].values()) - {""}):
            try:
                read_document({name: word})
            except BadDocument as refused:
                yield Finding(Level.WRONG, f"values.{name}", f"{word}: {refused.details[0].partition(': ')[2]}")


def _unused_tables(mapping: MappingFile) -> Iterator[Finding]:
    """Value tables that nothing reads: their name is written wrongly here, or where they are used."""
    mapped = {name for name in PLAIN_FIELDS if getattr(mapping.inbound, name)}
    for expression in (*_expressions(mapping), *expressions_out(mapping)):
        mapped |= tables_in(expression)
    for name in sorted(mapping.values.keys() - mapped):
        yield Finding(Level.WRONG, f"values.{name}", "nothing reads this table")


def _links(public_url: str) -> Iterator[Finding]:
    if not public_url:
        text = "not set: links to recordings, photos and logs have no host, and nobody outside can follow them"
        yield Finding(Level.NOTE, "bridge.public_url", text)


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return f"{len(value)}: " + ", ".join(_short(one) for one in value)[:_SHOWN_CHARS]
    if is_dataclass(value):
        told = (getattr(value, field.name) for field in fields(value))
        return " ".join(str(one) for one in told if one not in (None, False))[:_SHOWN_CHARS]
    return str(value)[:_SHOWN_CHARS]
