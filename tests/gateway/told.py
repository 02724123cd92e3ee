"""Where a bridge without phones tells them: what it said is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from gateway.incidents.incident_state import IncidentState
from gateway.incidents.rules import Attention
from groups.vocabulary import GroupId, IncidentCode, UserId


@dataclass
class Told:
    """`poc_server.bridge.bridge.PhonesPort`."""

    changes: list[tuple[IncidentCode, frozenset[UserId]]] = field(default_factory=list)
    forward: list[tuple[IncidentCode, frozenset[UserId]]] = field(default_factory=list)
    versions: list[int] = field(default_factory=list)

    def changed(self, state: IncidentState, group: GroupId, gone: Iterable[UserId] = ()) -> None:
        self.changes.append((state.code, state.members))

    def bring_forward(
        self, state: IncidentState, group: GroupId, users: Iterable[UserId], to: Attention, version: int
    ) -> None:
        self.forward.append((state.code, frozenset(users)))
        self.versions.append(version)

    def switch(self, phone: Any, group: GroupId, code: IncidentCode, title: str, version: int) -> None:
        raise AssertionError("there are no other nodes here")

    def summary(self, state: IncidentState, group: GroupId, user: UserId) -> Any:
        raise AssertionError("nobody asks for a list here")
