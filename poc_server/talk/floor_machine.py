"""The pure floor machine in the form the runner and the fabric take."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, get_args

from pydantic import TypeAdapter

from groups.floor import machine
from groups.floor.effects import FloorEffect
from groups.floor.state import FloorState

_KINDS = {kind.__name__: TypeAdapter(kind) for kind in get_args(FloorEffect)}


class FloorMachine:
    """Implements `poc_server.talk.runner.Machine` for the floor of one group."""

    handle = staticmethod(machine.handle)
    deadline = staticmethod(machine.deadline)

    def state_to_json(self, state: FloorState) -> Any:
        """One line of JSON."""
        return state.to_json()

    def state_from_json(self, value: Any) -> FloorState:
        """What `state_to_json` made."""
        return FloorState.from_json(value)

    def event_to_json(self, event: Any) -> Any:
        """``[name of the effect, its fields]``."""
        return [type(event).__name__, asdict(event)]

    def event_from_json(self, value: Any) -> Any:
        """What `event_to_json` made. Raises KeyError or ValueError on anything else."""
        name, fields = value
        return _KINDS[name].validate_python(fields)
