"""That a member opened the group of an incident: an event of the case, kept though SQL is away when he does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.incidents.effects import EventType
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import GroupId, UserId
from poc_server.store.bridge import incident_happenings
from poc_server.store.journal.base import Ms, Record, Text


class IncidentJoined(Record):
    """A member opened the group of an incident. Written each time he does; the case is told of the first."""

    kind: Literal["incident_joined"] = "incident_joined"
    v: Literal[1] = 1
    group: GroupId
    user: UserId
    user_name: Text
    at_ms: Ms


async def apply(connection: AsyncConnection, found: Sequence[IncidentJoined], at_ms: int) -> None:
    """An event for each that is the first; phones that come back after an outage open everything again."""
    await incident_happenings.tell_new(connection, [(each.group, _happened(each)) for each in found], at_ms)


def _happened(each: IncidentJoined) -> Happened:
    return Happened(f"joined/{each.user}", EventType.JOINED, each.at_ms, each.user, {"name": each.user_name})
