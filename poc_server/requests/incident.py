"""incident_list, incident_report."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import GroupId, IncidentCode, Refusal
from signaling.messages import IncidentList, IncidentReport, Incidents, IncidentSummary, Ok

if TYPE_CHECKING:
    from groups.model import User
    from poc_server.talk.later import Later
    from poc_server.talk.phone import Phone
    from signaling.messages.incident import Tap


class IncidentDesk(Protocol):
    """Where incidents are kept (`poc_server.bridge`)."""

    async def of_user(self, user: User, limit: int, text: str = "") -> tuple[list[IncidentSummary], bool]:
        """The incidents that matter to a user, at most ``limit``, and whether there are more.

        ``text``: in title or code. Refuses while SQL is away.
        """

    async def report(self, user: User, code: IncidentCode, tap: Tap) -> object:
        """A tap of an officer; returns when it is kept. Refuses one who is not a member."""

    def joined(self, user: User, group: GroupId) -> None:
        """A user affiliated with a group that may be an incident's."""

    def switch(self, phone: Phone, group: GroupId, code: IncidentCode, title: str, version: int) -> None:
        """Another node took news that bring an incident forward on a phone of this one."""


class Reporting(Protocol):
    """Where incidents are kept, and who answers when SQL has."""

    incidents: IncidentDesk | None
    later: Later


def incident_list(node: Reporting, phone: Phone, message: IncidentList) -> None:
    """The few that matter to this user."""
    desk = node.incidents
    if desk is None:
        phone.send(Incidents(id=message.id, incidents=[]))
        return

    async def answer() -> None:
        found, more = await desk.of_user(phone.user, message.limit, message.text)
        phone.send(Incidents(id=message.id, incidents=found, more=more))

    node.later.answer(phone, message.id, answer())


def incident_report(node: Reporting, phone: Phone, message: IncidentReport) -> None:
    """A tap; answered when it is kept."""
    desk = node.incidents
    if desk is None:
        phone.refuse(Refusal.NOT_FOUND, message.id)
        return

    async def answer() -> None:
        await desk.report(phone.user, IncidentCode(message.code), message.tap)
        phone.send(Ok(id=message.id))

    node.later.answer(phone, message.id, answer())


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    IncidentList: incident_list,
    IncidentReport: incident_report,
}
