"""The pure machines of floors and calls in the form the runner and the fabric take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any, Generic, Protocol, TypeVar, get_args

from pydantic import TypeAdapter

from groups.calls import machine as calls
from groups.calls.effects import CallEffect
from groups.calls.state import CallState
from groups.floor import machine as floor
from groups.floor.effects import FloorEffect
from groups.floor.state import FloorState


class Plain(Protocol):
    """A state that survives a JSON round trip."""

    def to_json(self) -> Any:
        """One line of JSON."""


S = TypeVar("S", bound=Plain)


class PureMachine(Generic[S]):
    """Implements `poc_server.talk.runner.Machine` on two functions and the JSON of what they take and give.

    Args:
        handle: one step.
        deadline: when a tick is due, ms on the fabric's clock.
        from_json: makes a state of what its ``to_json`` made.
        effects: the union of what a step can give.
    """

    def __init__(
        self,
        handle: Callable[[S, Any, int], tuple[S, Sequence[Any]]],
        deadline: Callable[[S], int | None],
        from_json: Callable[[Any], S],
        effects: Any,
    ) -> None:
        self.handle = handle
        self.deadline = deadline
        self.state_from_json = from_json
        self._fields = {kind.__name__: [each.name for each in fields(kind)] for kind in get_args(effects)}
        self._kinds = {kind.__name__: TypeAdapter(kind) for kind in get_args(effects)}

    def state_to_json(self, state: S) -> Any:
        """One line of JSON."""
        return state.to_json()

    def event_to_json(self, event: Any) -> Any:
        """``[name of the effect, its fields]``; effects are flat."""
        kind = type(event)
        return [kind.__name__, {name: getattr(event, name) for name in self._fields[kind.__name__]}]

    def event_from_json(self, value: Any) -> Any:
        """What `event_to_json` made. Raises KeyError or ValueError on anything else."""
        name, fields = value
        return self._kinds[name].validate_python(fields)


FLOOR: PureMachine[FloorState] = PureMachine(floor.handle, floor.deadline, FloorState.from_json, FloorEffect)
CALL: PureMachine[CallState] = PureMachine(calls.handle, calls.deadline, CallState.from_json, CallEffect)
