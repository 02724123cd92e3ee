"""What SQL does not say yet is on the disk of every node: whichever has the desk next reads its own first.

And how alerts and leaders' calls stand is in the memory of every node: whichever has the desk next leads them on, and
asks SQL after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError

from poc_server.store.journal import AlertKept, EmergencyCallKept, EmergencyCallOver, Record
from poc_server.store.journal.kinds import records

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk, Noted, Standing
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.neighbours.known.neighbour import Neighbour

log = structlog.get_logger(__name__)
TOPIC = "over"
STANDING = "alert"
"""As nodes of the version before know it, which told each other of alerts alone."""


class Ends:
    """Tells the other nodes what ended, or how an alert stands, while it waits for SQL; and keeps what they tell."""

    def __init__(self, elsewhere: Elsewhere, desk: Desk) -> None:
        self._elsewhere = elsewhere
        self._desk = desk
        desk.tell_noted = self._tell
        desk.tell_standing = self._tell_standing
        elsewhere.topics |= {TOPIC: self._keep, STANDING: self._remember}

    def _tell(self, record: Noted) -> None:
        self._elsewhere.say(TOPIC, record.model_dump(mode="json"))

    def _keep(self, _: Neighbour, said: dict[str, Any]) -> None:
        if (record := read(said)) is not None:
            self._desk.store.journal.append(record)
        if isinstance(record, EmergencyCallOver):
            self._desk.heard.pop(("emergency_call", record.id), None)

    def _tell_standing(self, record: Standing) -> None:
        self._elsewhere.say(STANDING, record.model_dump(mode="json"))

    def _remember(self, _: Neighbour, said: dict[str, Any]) -> None:
        record = read(said)
        if isinstance(record, AlertKept) and not record.open:
            self._desk.heard.pop((record.kind, record.id), None)
        elif isinstance(record, AlertKept | EmergencyCallKept):
            self._desk.heard[record.kind, record.id] = record


def read(said: dict[str, Any]) -> Record | None:
    """What another node told, of which a later version may say more; None when its form is not known here."""
    try:
        found: Record = records.validate_python(said, extra="ignore")
    except ValidationError:
        log.warning("record_of_another_version", kind=str(said.get("kind"))[:64])
        return None
    return found
