"""incident_list, incident_report."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from groups.vocabulary import IncidentCode, Refusal
from poc_server.refused import Refused
from signaling.messages import IncidentList, IncidentReport, Incidents, Ok

if TYPE_CHECKING:
    from poc_server.parts import IncidentDesk
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)
_running: set[asyncio.Task[None]] = set()


class Reporting(Protocol):
    """Where incidents are kept."""

    incidents: IncidentDesk | None


def incident_list(node: Reporting, phone: Phone, message: IncidentList) -> None:
    """The few that matter to this user."""
    desk = node.incidents
    if desk is None:
        phone.send(Incidents(id=message.id, incidents=[]))
        return

    async def answer() -> None:
        phone.send(Incidents(id=message.id, incidents=await desk.of_user(phone.user, message.limit)))

    _run(phone, message.id, answer())


def incident_report(node: Reporting, phone: Phone, message: IncidentReport) -> None:
    """A tap; answered when it is kept."""
    desk = node.incidents
    if desk is None:
        phone.refuse(Refusal.NOT_FOUND, message.id)
        return

    async def answer() -> None:
        await desk.report(phone.user, IncidentCode(message.code), message.tap)
        phone.send(Ok(id=message.id))

    _run(phone, message.id, answer())


def _run(phone: Phone, request: str, answer: Awaitable[None]) -> None:
    """What waits for SQL runs beside the loop's other work; a refusal becomes the answer."""

    async def run() -> None:
        try:
            await answer
        except Refused as refused:
            phone.refuse(refused.code, request)
        except Exception:
            log.exception("request_failed", user=phone.user.id)
            phone.refuse(Refusal.INTERNAL, request)

    task = asyncio.get_running_loop().create_task(run())
    _running.add(task)
    task.add_done_callback(_running.discard)


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    IncidentList: incident_list,
    IncidentReport: incident_report,
}
