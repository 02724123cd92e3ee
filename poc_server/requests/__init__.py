"""What each message of a phone does: one function a message type, one file a topic, joined in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from poc_server.requests import call, connection, dispatch, emergency, floor, group, incident, text
from signaling.messages import Monitor


class ActsOn(
    connection.Line,
    group.Hearing,
    floor.Floors,
    call.Calling,
    emergency.Emergencies,
    text.Writing,
    dispatch.Dispatching,
    incident.Reporting,
    Protocol,
):
    """All that requests act on: each topic says what it needs itself."""


Request = Callable[[Any, Any, Any], None]
"""``(node, phone, message)``; synchronous; answers through the phone."""

_OF_ONE_NODE: Mapping[type, Request] = {
    **connection.REQUESTS,
    **group.REQUESTS,
    **floor.REQUESTS,
    **incident.REQUESTS,
}
_OF_THE_CITY: Mapping[type, Request] = {**call.REQUESTS, **emergency.REQUESTS, **text.REQUESTS, **dispatch.REQUESTS}
AT_DESK = frozenset(_OF_THE_CITY) - {Monitor}
"""What one node decides for all (`poc_server.neighbours.desk.desk`)."""
REQUESTS: Mapping[type, Request] = {**_OF_ONE_NODE, **_OF_THE_CITY}
