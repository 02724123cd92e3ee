"""One of each thing that nodes write for each other, every field filled, the same in each run."""

from __future__ import annotations

import json
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from types import UnionType
from typing import Any, NewType, Union, get_args, get_origin, get_type_hints

from groups.calls.effects import CallEffect
from groups.calls.state import CallState
from groups.emergency.alert import AlertRecord
from groups.emergency.broadcast import Life
from groups.emergency.condition import Condition
from groups.floor.effects import FloorEffect
from groups.floor.state import FloorState
from groups.model import Group
from poc_server.talk.calls.call_facts import CallFacts

EFFECTS: dict[str, type[Any]] = {
    f"{machine} {kind.__name__}": kind
    for machine, union in (("floor", FloorEffect), ("call", CallEffect))
    for kind in get_args(union)
}
STATES: dict[str, type[Any]] = {kind.__name__: kind for kind in (FloorState, CallState, Condition, AlertRecord)}
PLAIN: dict[str, type[Any]] = {kind.__name__: kind for kind in (Group, CallFacts, Life)}


def sample(kind: Any) -> Any:
    """A value of ``kind``: of an enum its last word, of a union what it is when it is something."""
    if isinstance(kind, NewType):
        return sample(kind.__supertype__)
    origin, args = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return sample(args[0])
    if origin is tuple and args[-1] is not Ellipsis:
        return tuple(sample(each) for each in args)
    if origin in (tuple, frozenset):
        return origin([sample(args[0])])
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)[-1]
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        return kind(**{each.name: sample(hints[each.name]) for each in fields(kind) if each.init})  # type: ignore[operator]
    simple: dict[Any, Any] = {str: "x", int: 7, bool: True, float: 0.5}
    return simple[kind]


def of_later(value: Any) -> Any:
    """The same as a later version may write it: with a field more wherever there are fields."""
    if isinstance(value, dict):
        return {**{key: of_later(each) for key, each in value.items()}, "of_a_later_version": {"more": [1]}}
    if isinstance(value, list):
        return [of_later(each) for each in value]
    return value


def written(kind: type[Any]) -> Any:
    """A sample as JSON values."""
    made = sample(kind)
    return (
        json.loads(made.to_json()) if kind in STATES.values() else json.loads(json.dumps(asdict(made), default=_plain))
    )


def _plain(value: Any) -> Any:
    return sorted(value)


def everything() -> dict[str, Any]:
    """All of it, by name."""
    return {name: written(kind) for name, kind in (STATES | PLAIN | EFFECTS).items()}
