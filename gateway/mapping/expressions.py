"""JMESPath with the few functions a mapping needs beside the standard ones.

``local_time(ms, format)`` writes a moment on the local clock · ``value(table, key)`` looks up a value table ·
``lon(point, datum)``, ``lat(point, datum)`` convert a place · ``concat(a, b)`` joins texts, nothing counting as empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator

from gateway.incidents.incident import Datum, Point
from gateway.mapping.datum import convert
from gateway.mapping.times import local_text

MAX_EXPRESSION_CHARS = 1_000
MAX_NAMES = 10_000


def _compiles(text: str) -> str:
    if len(text) > MAX_EXPRESSION_CHARS:
        raise ValueError(f"longer than {MAX_EXPRESSION_CHARS} characters")
    text = _NAMES.sub(lambda found: found[0] if found[1] is None else f'"{found[1]}"', text)
    try:
        jmespath.compile(text)
    except JMESPathError as problem:
        raise ValueError(f"not JMESPath: {str(problem).splitlines()[0]}") from None
    return text


_NAMES = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(\w*[^\x00-\x7f]\w*)""")
"""Quoted parts, and names outside of them that are not ASCII: JMESPath wants those quoted, people do not."""


Expression = Annotated[str, AfterValidator(_compiles)]
"""A JMESPath expression, known to compile."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the functions of an expression may use: value tables and the local clock."""

    tables: dict[str, dict[str, str]]
    offset_minutes: int = 480


class _Functions(functions.Functions):
    def __init__(self, surroundings: Surroundings) -> None:
        self._surroundings = surroundings

    @functions.signature({"types": ["number", "null"]}, {"types": ["string"]})
    def _func_local_time(self, ms: float | None, form: str) -> str | None:
        return None if ms is None else local_text(int(ms), self._surroundings.offset_minutes, form)

    @functions.signature({"types": ["string"]}, {"types": []})
    def _func_value(self, table: str, key: object) -> str | None:
        return self._surroundings.tables.get(table, {}).get(str(key))

    @functions.signature({"types": ["object", "null"]}, {"types": ["string"]})
    def _func_lon(self, point: dict[str, Any] | None, datum: str) -> float | None:
        return None if point is None else _converted(point, datum).lon

    @functions.signature({"types": ["object", "null"]}, {"types": ["string"]})
    def _func_lat(self, point: dict[str, Any] | None, datum: str) -> float | None:
        return None if point is None else _converted(point, datum).lat

    @functions.signature({"types": []}, {"types": [], "variadic": True})
    def _func_concat(self, *parts: object) -> str:
        return "".join("" if part is None else str(part) for part in parts)


def _converted(point: dict[str, Any], datum: str) -> Point:
    return convert(Point(point["lon"], point["lat"], Datum(point["datum"])), Datum(datum))


def search(expression: str, data: object, surroundings: Surroundings) -> Any:
    """What ``expression`` finds in ``data``; None when nothing, or when a function does not fit what it found."""
    options = jmespath.Options(custom_functions=_Functions(surroundings))
    try:
        return jmespath.compile(expression).search(data, options=options)
    except (JMESPathError, ValueError, TypeError, KeyError, ArithmeticError, AttributeError, RecursionError):
        return None


def names_in(expression: str) -> frozenset[str]:
    """The field names an expression reads."""
    found: set[str] = set()
    todo: list[Any] = [jmespath.compile(expression).parsed]
    while todo and len(found) < MAX_NAMES:
        node = todo.pop()
        if node["type"] == "field":
            found.add(node["value"])
        todo += [child for child in node.get("children", ()) if isinstance(child, dict)]
    return frozenset(found)


_ON_WHAT_WAS_FOUND = frozenset(
    {"subexpression", "index_expression", "pipe", "projection", "value_projection", "filter_projection", "flatten"}
)
"""Nodes of which only the first part reads from the beginning; the others go on with what that found."""


def paths_in(expression: str) -> frozenset[tuple[str, str]]:
    """The first two names of each path that an expression reads from the beginning; the second may be empty."""
    found: set[tuple[str, str]] = set()
    todo: list[Any] = [jmespath.compile(expression).parsed]
    while todo:
        node = todo.pop()
        parts = node["children"]
        first = parts[0] if parts else node
        if node["type"] == "field":
            found.add((node["value"], ""))
        elif node["type"] == "subexpression" and first["type"] == "field":
            found.add((first["value"], parts[1]["value"] if parts[1]["type"] == "field" else ""))
        elif node["type"] in _ON_WHAT_WAS_FOUND:
            todo.append(first)
        elif node["type"] != "expref":
            todo += [child for child in parts if isinstance(child, dict)]
    return frozenset(found)


def tables_in(expression: str) -> frozenset[str]:
    """The value tables an expression names."""
    found: set[str] = set()
    todo: list[Any] = [jmespath.compile(expression).parsed]
    while todo:
        node = todo.pop()
        parts = [child for child in node.get("children", ()) if isinstance(child, dict)]
        if node["type"] == "function_expression" and node["value"] == "value" and parts[0]["type"] == "literal":
            found.add(str(parts[0]["value"]))
        todo += parts
    return frozenset(found)
