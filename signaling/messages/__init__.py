"""Every message of ``poc.v1``, one frozen model each, in two discriminated unions.

``decode_client`` and ``decode_server`` parse text; ``encode`` makes it. ``python -m signaling.schema`` exports
the JSON Schema that the TypeScript types are generated from.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from groups.vocabulary import Refusal
from signaling.messages.call import (
    Call,
    CallAccept,
    CallAdd,
    CallEnd,
    CallEnded,
    CallLeave,
    CallParty,
    CallRefuse,
    CallRinging,
    CallStart,
    CallStopped,
)
from signaling.messages.connection import (
    Answer,
    Bye,
    ClientInfo,
    Error,
    Hello,
    IceRestart,
    IceServer,
    Limits,
    Listening,
    Offer,
    Ok,
    Ping,
    Pong,
    Welcome,
)
from signaling.messages.emergency import (
    Alert,
    AlertAcknowledge,
    AlertClaim,
    AlertClaimed,
    AlertInfo,
    AlertResolve,
    Area,
    Broadcast,
    BroadcastEnd,
    BroadcastInfo,
    BroadcastStart,
    BroadcastStarted,
    BroadcastTally,
    BroughtIn,
    BroughtOut,
    EmergencyCall,
    EmergencyCallStarted,
    EmergencyCancel,
    EmergencyState,
    PersonReceipt,
    PlanRun,
    Receipt,
    Recipients,
    Sos,
    SosCancel,
    SosConfirmed,
    Whereabouts,
)
from signaling.messages.floor import (
    FloorDeny,
    FloorGranted,
    FloorIdle,
    FloorQueued,
    FloorQueuePositionRequest,
    FloorRelease,
    FloorRequest,
    FloorRevoke,
    FloorRevokeRequest,
    FloorTaken,
)
from signaling.messages.group import (
    FloorSnapshot,
    GroupPresence,
    GroupSnapshot,
    GroupSummary,
    Listen,
    Person,
    Select,
    Selected,
    Slot,
)
from signaling.messages.incident import (
    IncidentChanged,
    IncidentList,
    IncidentReport,
    Incidents,
    IncidentSummary,
    Switched,
)
from signaling.messages.recordings import Missed, MissedTalker

ClientMessage = Annotated[
    Hello
    | Answer
    | IceRestart
    | Ping
    | Listening
    | Select
    | Listen
    | FloorRequest
    | FloorRelease
    | FloorQueuePositionRequest
    | FloorRevokeRequest
    | Sos
    | SosCancel
    | AlertClaim
    | AlertAcknowledge
    | AlertResolve
    | EmergencyCall
    | EmergencyCancel
    | BroadcastStart
    | Receipt
    | BroadcastEnd
    | PlanRun
    | CallStart
    | CallAccept
    | CallRefuse
    | CallLeave
    | CallEnd
    | CallAdd
    | IncidentList
    | IncidentReport,
    Field(discriminator="type"),
]
ServerMessage = Annotated[
    Welcome
    | Offer
    | Ok
    | Pong
    | Error
    | Bye
    | Selected
    | GroupPresence
    | Slot
    | FloorGranted
    | FloorTaken
    | FloorIdle
    | FloorDeny
    | FloorRevoke
    | FloorQueued
    | SosConfirmed
    | Alert
    | AlertClaimed
    | EmergencyState
    | EmergencyCallStarted
    | BroughtIn
    | BroughtOut
    | BroadcastStarted
    | Broadcast
    | BroadcastTally
    | Call
    | CallRinging
    | CallStopped
    | CallEnded
    | Incidents
    | IncidentChanged
    | Switched
    | Missed,
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


__all__ = [
    "Alert",
    "AlertAcknowledge",
    "AlertClaim",
    "AlertClaimed",
    "AlertInfo",
    "AlertResolve",
    "Answer",
    "Area",
    "Broadcast",
    "BroadcastEnd",
    "BroadcastInfo",
    "BroadcastStart",
    "BroadcastStarted",
    "BroadcastTally",
    "BroughtIn",
    "BroughtOut",
    "Bye",
    "Call",
    "CallAccept",
    "CallAdd",
    "CallEnd",
    "CallEnded",
    "CallLeave",
    "CallParty",
    "CallRefuse",
    "CallRinging",
    "CallStart",
    "CallStopped",
    "ClientInfo",
    "ClientMessage",
    "EmergencyCall",
    "EmergencyCallStarted",
    "EmergencyCancel",
    "EmergencyState",
    "Error",
    "FloorDeny",
    "FloorGranted",
    "FloorIdle",
    "FloorQueuePositionRequest",
    "FloorQueued",
    "FloorRelease",
    "FloorRequest",
    "FloorRevoke",
    "FloorRevokeRequest",
    "FloorSnapshot",
    "FloorTaken",
    "GroupPresence",
    "GroupSnapshot",
    "GroupSummary",
    "Hello",
    "IceRestart",
    "IceServer",
    "IncidentChanged",
    "IncidentList",
    "IncidentReport",
    "IncidentSummary",
    "Incidents",
    "Limits",
    "Listen",
    "Listening",
    "Missed",
    "MissedTalker",
    "Offer",
    "Ok",
    "Person",
    "PersonReceipt",
    "Ping",
    "PlanRun",
    "Pong",
    "Receipt",
    "Recipients",
    "Refused",
    "Select",
    "Selected",
    "ServerMessage",
    "Slot",
    "Sos",
    "SosCancel",
    "SosConfirmed",
    "Switched",
    "Welcome",
    "Whereabouts",
    "client_messages",
    "decode_client",
    "decode_server",
    "encode",
    "server_messages",
]
