"""Who did what, or tried what he may not: kept without waiting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from groups.model import User
from groups.policy import Act
from groups.vocabulary import Refusal
from poc_server.store.journal import Record
from poc_server.store.journal.acts import act_record


class Audit:
    """Writes what people do to the journal, as done now by ``clock`` (ms since the epoch, that of all nodes)."""

    def __init__(self, journal: Callable[[Record], None], clock: Callable[[], int]) -> None:
        self._journal, self._clock = journal, clock

    def __call__(
        self, user: User, act: Act, kind: str, target: str, detail: Mapping[str, Any], refused: Refusal | None = None
    ) -> None:
        """``target`` is of ``kind``; ``refused``: why it was not done."""
        self._journal(act_record(user, self._clock(), act, kind, target, detail, refused))
