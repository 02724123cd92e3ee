"""Coming, going and the media path: hello, welcome, offer, answer, listening, ping."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from groups.vocabulary import NotListening, Refusal, Role
from signaling.limits import DEFAULT_SLOTS, MAX_SLOTS
from signaling.messages.base import Id, Message, Name, RequestId, Sdp, Token
from signaling.messages.group import GroupSummary, Person


class ClientInfo(Message):
    """What the client is; ``language`` picks the words of errors."""

    name: Name = ""
    version: Name = ""
    language: Literal["zh-CN", "en"] = "zh-CN"


class Hello(Message):
    """First message on a socket. ``resume`` is the key of an earlier welcome; media then goes on."""

    type: Literal["hello"] = "hello"
    id: RequestId
    token: Token
    client: ClientInfo = ClientInfo()
    device: Id | None = None
    slots: Annotated[int, Field(ge=1, le=MAX_SLOTS)] = DEFAULT_SLOTS
    resume: Id | None = None


class IceServer(Message):
    """A TURN server with credentials that end (seconds since the epoch stand in ``username``)."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class Limits(Message):
    """What this server lets a client do, so that a client need not guess."""

    message_bytes: int
    messages_per_second: float
    listening_expires_ms: int
    resume_ms: int


class Welcome(Message):
    """Answer to `Hello`. ``offer`` is absent when a resumed phone's media path still lives."""

    type: Literal["welcome"] = "welcome"
    id: RequestId
    user: Person
    roles: list[Role]
    rights: list[str]
    groups: list[GroupSummary]
    selected: Id | None = None
    limits: Limits
    ice_servers: list[IceServer]
    offer: Sdp | None = None
    slots: int
    resume: Id
    resumed: bool = False
    server_time_ms: int


class Offer(Message):
    """A new SDP offer: the answer to `IceRestart`, with new ufrag and password.

    With the session id of the offer before (`o=`) it moves that path, with another it is for a new connection.
    """

    type: Literal["offer"] = "offer"
    id: RequestId | None = None
    sdp: Sdp


class Answer(Message):
    """The client's SDP answer to the newest offer."""

    type: Literal["answer"] = "answer"
    id: RequestId
    sdp: Sdp


class IceRestart(Message):
    """Asks for a second offer: network changed, socket lost, or expected packets stayed away for 1.5 s."""

    type: Literal["ice_restart"] = "ice_restart"
    id: RequestId


class Listening(Message):
    """Whether a burst would be heard now; expires after ``limits.listening_expires_ms`` unless repeated."""

    type: Literal["listening"] = "listening"
    state: Literal["yes", "no"]
    reason: NotListening | None = None


class Ping(Message):
    """Client's own liveness check of the whole path up to the session."""

    type: Literal["ping"] = "ping"
    id: RequestId


class Pong(Message):
    """Answer to `Ping`, with the server's clock."""

    type: Literal["pong"] = "pong"
    id: RequestId
    server_time_ms: int


class Ok(Message):
    """A request was carried out and has nothing else to say."""

    type: Literal["ok"] = "ok"
    id: RequestId


class Error(Message):
    """A request was refused. ``message`` is in the client's language; programs read ``code``."""

    type: Literal["error"] = "error"
    id: RequestId | None = None
    code: Refusal
    message: str
    retry_after_ms: int | None = None


class Isolated(Message):
    """The node this phone is on goes on without the others (True), or is one of them again.

    Meanwhile it carries voice among its own phones only; after that who talked on two sides at once may be revoked.
    """

    type: Literal["isolated"] = "isolated"
    isolated: bool


class Bye(Message):
    """The last message before the server closes, with the reason; ``reconnect`` says whether to come back."""

    type: Literal["bye"] = "bye"
    code: Refusal
    message: str
    reconnect: bool
