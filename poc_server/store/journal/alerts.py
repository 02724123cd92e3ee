"""How an alert stands, while SQL is away: somebody in danger is not refused for want of a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import EventType
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import AgencyId, GroupId, UserId
from poc_server.store import emergency
from poc_server.store.bridge import incident_happenings
from poc_server.store.journal.base import Ms, Record, Text
from poc_server.store.sql import locks


class CaseTold(BaseModel):
    """What the case of an incident learns of it. ``group``: the group of the incident."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Text
    group: GroupId
    at_ms: Ms
    user: UserId
    data: dict[str, Any]

    def happened(self) -> Happened:
        """As an event."""
        return Happened(self.id, EventType.EMERGENCY, self.at_ms, self.user, self.data)


class AlertKept(Record):
    """An alert as it was then, whole; an older one changes nothing of a newer (`emergency.put_alert`)."""

    kind: Literal["alert"] = "alert"
    v: Literal[1] = 1
    id: Text
    agency: AgencyId
    user: UserId
    open: bool
    state: Text
    raised_ms: Ms
    content: dict[str, Any]
    case: CaseTold | None = None

    @classmethod
    def of(cls, row: emergency.Kept, case: CaseTold | None) -> AlertKept:
        """The record that carries ``row``."""
        return cls(
            id=row.id,
            agency=row.agency,
            user=row.user,
            open=row.open,
            state=row.state,
            raised_ms=row.at_ms,
            content=row.content,
            case=case,
        )

    def row(self) -> emergency.Kept:
        """The row it becomes."""
        return emergency.Kept(self.id, self.agency, self.user, self.open, self.raised_ms, self.content, self.state)


async def apply(connection: AsyncConnection, found: Sequence[AlertKept], at_ms: int) -> int:
    """Bring their rows up to this, tell their cases at ``at_ms`` what they do not know. Returns how many were newer."""
    newer = 0
    if any(each.case for each in found):
        await locks.outbox(connection)
    for each in found:
        newer += await emergency.put_alert(connection, each.row(), ())
        if each.case is not None:
            await incident_happenings.tell(connection, each.case.group, each.case.happened(), at_ms)
    return newer
