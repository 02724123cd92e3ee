"""The incident document: the body of ``PUT /api/v1/incidents/{code}``, and what every mapping file leads to.

Bytes that come from outside pass here: bounded in size and depth first, then checked field by field.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic_core import from_json

from gateway.incidents.incident import Millis
from gateway.incidents.news import MAX_VERSION, News, NewsId, Telling, Version
from groups.vocabulary import Refusal
from signaling.messages import Refused

MAX_BODY_BYTES = 1_048_576
"""Largest body taken from another system."""
MAX_DEPTH = 32
"""Deepest nesting of lists and objects taken."""
EARLIEST_MS = 946_684_800_000
"""2000-01-01: what lies before it was told in seconds."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01: a number beyond it is a counter, no moment."""
MAX_DETAILS = 20
"""Faults of a document that are named; the others are only there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document(Telling):
    """A `Telling` as it comes. Without ``version`` the order of arrival decides; ``at`` defaults to now."""

    id: NewsId | None = None
    version: Version | None = None
    at: Millis | None = None

    def news(self, now: int, newest: int = -1) -> News:
        """As news for the machine, ``newest`` being the highest version known of the incident.

        Without an ``id`` the content is the id, so that a repetition is known as one.
        """
        version = min(max(now, newest + 1), MAX_VERSION) if self.version is None else self.version
        told = {name: getattr(self, name) for name in _TOLD}
        at = now if self.at is None else self.at
        return News(**told, id=self.id or digest(_document().dump_python(self, mode="json")), version=version, at=at)


class BadDocument(Refused):
    """A document that cannot be taken; ``details`` name field and fault, for the one who maintains the sender."""

    def __init__(self, details: tuple[str, ...]) -> None:
        super().__init__(Refusal.BAD_MESSAGE)
        self.details = details[:MAX_DETAILS]


def read_json(body: bytes, limit: int = MAX_BODY_BYTES) -> JsonValue:
    """``body`` as JSON. Raises `Refused`: too_large beyond ``limit`` bytes, bad_message for anything else."""
    if len(body) > limit:
        raise Refused(Refusal.TOO_LARGE)
    try:
        text = body.decode("utf-8-sig")  # some write a byte order mark before it
    except UnicodeDecodeError as problem:
        raise BadDocument((f"the body is not UTF-8, from byte {problem.start} on",)) from None
    try:
        found: JsonValue = from_json(text, allow_inf_nan=False)
    except ValueError as problem:
        raise BadDocument((f"the body is not JSON: {problem}",)) from None
    if _deeper_than(found, MAX_DEPTH):
        raise BadDocument((f"nested deeper than {MAX_DEPTH}",))
    return found


def read_document(data: object) -> Document:
    """``data`` checked. Raises `BadDocument`, whatever it is."""
    try:
        document = _document().validate_python(data)
    except ValidationError as problem:
        faults = problem.errors(include_url=False, include_context=False, include_input=False)
        details = tuple(f"{'.'.join(map(str, fault['loc'])) or 'document'}: {fault['msg']}" for fault in faults)
        raise BadDocument(details) from None
    except (ValueError, RecursionError):
        raise BadDocument(("the document cannot be read",)) from None
    if senseless := tuple(_senseless(document, data)):
        raise BadDocument(senseless)
    return document


def _senseless(document: Document, data: object) -> Iterator[str]:
    """What types do not tell."""
    if isinstance(data, dict):
        for name, value in data.items():
            if any("\x00" in text for text in _texts(value)):
                yield f"{name}: holds the character NUL"
    if document.at is not None and document.at < EARLIEST_MS:
        yield f"at: {_WHEN}"
    for number, limit in enumerate(document.limits or ()):
        if limit.allowed_ms is None and limit.due_ms is None:
            yield f"limits.{number}: neither allowed_ms nor due_ms"
        elif limit.due_ms is not None and limit.due_ms < EARLIEST_MS:
            yield f"limits.{number}.due_ms: {_WHEN}"


_WHEN = "before the year 2000; wanted are ms since 1970-01-01 UTC"


def _texts(value: object) -> Iterator[str]:
    """Every text in a value that was found to be of a document's shape, so no deeper than that."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list | tuple):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def schemas(template: str) -> dict[str, Any]:
    """JSON Schema of the document and of all it is made of, by name; ``template`` leads from one to another."""
    found = _document().json_schema(ref_template=template)
    parts: dict[str, Any] = found.pop("$defs", {})
    return {**parts, "Document": found}


def digest(content: Any) -> str:
    """A short id of JSON-able content: the same for the same content."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _deeper_than(value: JsonValue, depth: int) -> bool:
    level: list[JsonValue] = [value]
    for _ in range(depth + 1):
        level = [
            child
            for one in level
            if isinstance(one, dict | list)
            for child in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return False
    return True


@cache
def _document() -> TypeAdapter[Document]:
    return TypeAdapter(Document)


_TOLD = tuple(field.name for field in fields(Telling))
