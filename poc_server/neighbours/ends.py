"""What SQL does not say yet is on the disk of every node: whichever has the desk next reads its own first.

And how alerts stand is in the memory of every node: whichever has the desk next leads them on, and asks SQL after.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog
from pydantic import ValidationError

from poc_server.store.journal import AlertKept, Record
from poc_server.store.journal.kinds import records

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk, Noted
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.neighbours.neighbour import Neighbour

log = structlog.get_logger(__name__)
TOPIC = "over"
ALERT = "alert"


class Ends:
    """Tells the other nodes what ended, or how an alert stands, while it waits for SQL; and keeps what they tell."""

    def __init__(self, elsewhere: Elsewhere, desk: Desk) -> None:
        self._elsewhere = elsewhere
        self._desk = desk
        desk.tell_noted = self._tell
        desk.tell_alert = self._tell_alert
        elsewhere.topics |= {TOPIC: self._keep, ALERT: self._remember}

    def _tell(self, record: Noted) -> None:
        self._elsewhere.say(TOPIC, record.model_dump(mode="json"))

    def _keep(self, _: Neighbour, said: dict[str, Any]) -> None:
        if (record := read(said)) is not None:
            self._desk.store.journal.append(record)

    def _tell_alert(self, record: AlertKept) -> None:
        self._elsewhere.say(ALERT, record.model_dump(mode="json"))

    def _remember(self, _: Neighbour, said: dict[str, Any]) -> None:
        record = read(said)
        if not isinstance(record, AlertKept):
            return
        if record.open:
            self._desk.heard[record.id] = record
        else:
            self._desk.heard.pop(record.id, None)


def read(said: dict[str, Any]) -> Record | None:
    """What another node told, of which a later version may say more; None when its form is not known here."""
    try:
        found: Record = records.validate_python(said, extra="ignore")
    except ValidationError:
        log.warning("record_of_another_version", kind=str(said.get("kind"))[:64])
        return None
    return found
