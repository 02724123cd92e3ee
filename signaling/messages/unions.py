"""The two discriminated unions of all messages, and how text becomes a message and a message text."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from groups.vocabulary import Refusal
from signaling.messages import (
    broadcast,
    call,
    connection,
    dispatch,
    emergency,
    floor,
    group,
    incident,
    recordings,
    text,
)

ClientMessage = Annotated[
    connection.Hello
    | connection.Answer
    | connection.IceRestart
    | connection.Ping
    | connection.Listening
    | group.Select
    | group.Listen
    | floor.FloorRequest
    | floor.FloorRelease
    | floor.FloorQueuePositionRequest
    | floor.FloorRevokeRequest
    | emergency.Sos
    | emergency.SosCancel
    | emergency.AlertClaim
    | emergency.AlertAcknowledge
    | emergency.AlertResolve
    | emergency.EmergencyCall
    | emergency.EmergencyCancel
    | broadcast.BroadcastStart
    | broadcast.Receipt
    | broadcast.BroadcastEnd
    | broadcast.PlanRun
    | call.CallStart
    | call.CallAccept
    | call.CallRefuse
    | call.CallLeave
    | call.CallEnd
    | call.CallAdd
    | call.CallList
    | incident.IncidentList
    | incident.IncidentReport
    | text.TextSend
    | text.TextList
    | text.TextRead
    | text.ThreadList
    | dispatch.Monitor
    | dispatch.PatchStart
    | dispatch.PatchEnd
    | dispatch.TalkBan
    | dispatch.HandoverOffer
    | dispatch.HandoverAnswer
    | dispatch.HandoverWithdraw,
    Field(discriminator="type"),
]
ServerMessage = Annotated[
    connection.Welcome
    | connection.Offer
    | connection.Ok
    | connection.Pong
    | connection.Error
    | connection.Bye
    | connection.Isolated
    | group.Selected
    | group.Groups
    | group.GroupPresence
    | group.Slot
    | floor.FloorGranted
    | floor.FloorTaken
    | floor.FloorIdle
    | floor.FloorDeny
    | floor.FloorRevoke
    | floor.FloorQueued
    | emergency.SosRules
    | emergency.SosConfirmed
    | emergency.Alert
    | emergency.AlertClaimed
    | emergency.EmergencyState
    | emergency.EmergencyCallStarted
    | emergency.BroughtIn
    | emergency.BroughtOut
    | broadcast.BroadcastStarted
    | broadcast.Broadcast
    | broadcast.BroadcastTally
    | call.Call
    | call.CallRinging
    | call.CallStopped
    | call.Calls
    | call.CallEnded
    | incident.Incidents
    | incident.IncidentChanged
    | incident.IncidentsStirred
    | incident.Switched
    | recordings.Missed
    | recordings.RecordingDisk
    | text.TextKept
    | text.Texted
    | text.Texts
    | text.TextUnread
    | text.Threads
    | dispatch.Monitoring
    | dispatch.Patched
    | dispatch.TalkBanned
    | dispatch.Handover
    | call.AmbientOn
    | call.AmbientOff,
    Field(discriminator="type"),
]
client_messages: TypeAdapter[Any] = TypeAdapter(ClientMessage)
server_messages: TypeAdapter[Any] = TypeAdapter(ServerMessage)


class Refused(Exception):
    """What a peer sent cannot be taken: its code, and the ``id`` it carried when one could be read."""

    def __init__(self, code: Refusal, request: str | None = None) -> None:
        super().__init__(code.value)
        self.code = code
        self.request = request


def decode_client(text: str | bytes) -> Any:
    """Parse one message of a client. Raises `Refused` and nothing else, whatever the input."""
    return _decode(client_messages, text)


def decode_server(text: str | bytes) -> Any:
    """Parse one message of a server. Raises `Refused` and nothing else, whatever the input."""
    return _decode(server_messages, text)


def encode(message: BaseModel) -> bytes:
    """One message as UTF-8 JSON, absent optional fields left out."""
    return message.model_dump_json(exclude_none=True).encode()


def _decode(adapter: TypeAdapter[Any], text: str | bytes) -> Any:
    try:
        return adapter.validate_json(text)
    except ValidationError as problem:
        kinds = {
            error["type"] for error in problem.errors(include_url=False, include_context=False, include_input=False)
        }
        unknown = bool(kinds & {"union_tag_invalid", "union_tag_not_found"})
        raise Refused(Refusal.UNKNOWN_TYPE if unknown else Refusal.BAD_MESSAGE, _request_id(text)) from None
    except (ValueError, RecursionError):
        raise Refused(Refusal.BAD_MESSAGE) from None


_loose: TypeAdapter[Any] = TypeAdapter(dict[str, Any])


def _request_id(text: str | bytes) -> str | None:
    try:
        found = _loose.validate_json(text).get("id")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, str) and len(found) <= 64 else None
