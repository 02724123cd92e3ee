"""What SQL does not say yet is on the disk of every node: whichever has the desk next reads its own first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from poc_server.store.journal.kinds import records

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk, Noted
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.neighbours.neighbour import Neighbour

TOPIC = "over"


class Ends:
    """Tells the other nodes what ended, or how an alert stands, while it waits for SQL; and keeps what they tell."""

    def __init__(self, elsewhere: Elsewhere, desk: Desk) -> None:
        self._elsewhere = elsewhere
        self._journal = desk.store.journal
        desk.tell_noted = self._tell
        elsewhere.topics[TOPIC] = self._keep

    def _tell(self, record: Noted) -> None:
        self._elsewhere.say(TOPIC, record.model_dump(mode="json"))

    def _keep(self, _: Neighbour, said: dict[str, Any]) -> None:
        self._journal.append(records.validate_python(said))
