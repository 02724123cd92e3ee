"""What each message of a phone does: one function a message type, one file a topic, joined in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from poc_server.talk.requests import call, connection, dispatch, emergency, floor, group, incident, text

Request = Callable[[Any, Any, Any], None]
"""``(node, phone, message)``; synchronous; answers through the phone."""

REQUESTS: Mapping[type, Request] = {
    **connection.REQUESTS,
    **group.REQUESTS,
    **floor.REQUESTS,
    **call.REQUESTS,
    **incident.REQUESTS,
    **emergency.REQUESTS,
    **text.REQUESTS,
    **dispatch.REQUESTS,
}
