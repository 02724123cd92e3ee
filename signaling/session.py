"""The session machine of one socket: greeting first, limits on rate and silence. Pure; time in seconds.

Shape as everywhere in the house: ``handle(state, input, now) -> (state, effects)``. It says what to do with a message,
never what the message means.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from groups.vocabulary import Refusal
from signaling import limits
from signaling.messages import Hello, Refused, decode_client

MAX_STRIKES = 100
"""Refused messages in a row after which a socket is closed: a program that went wrong, not a person."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """One socket's state. ``allowance`` is the token bucket's content, ``heard_at`` the last sign of life."""

    opened_at: float
    heard_at: float
    allowance: float = float(limits.MESSAGE_BURST)
    refilled_at: float = 0.0
    pinged_at: float = 0.0
    greeted: bool = False
    strikes: int = 0


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text message came."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Binary:
    """A binary message came; there are none."""


@dataclass(frozen=True, slots=True)
class SignOfLife:
    """A pong or any other control frame came, or a part of a message that is not whole yet."""


@dataclass(frozen=True, slots=True)
class Tick:
    """Time went by."""


@dataclass(frozen=True, slots=True)
class Deliver:
    """Pass this message model to the handler."""

    message: Any


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an error; ``request`` is the id it belongs to, when one could be read."""

    code: Refusal
    request: str | None = None
    retry_after_ms: int | None = None


@dataclass(frozen=True, slots=True)
class SendPing:
    """Ask the peer for a sign of life."""


@dataclass(frozen=True, slots=True)
class Close:
    """End the socket with this WebSocket close code."""

    code: int


Input = Text | Binary | SignOfLife | Tick
Effect = Deliver | Refuse | SendPing | Close


def opened(now: float) -> SessionState:
    """State of a socket that was just accepted."""
    return SessionState(opened_at=now, heard_at=now, refilled_at=now, pinged_at=now)


def handle(state: SessionState, given: Input, now: float) -> tuple[SessionState, tuple[Effect, ...]]:
    """One step. Never raises on what a peer sent."""
    match given:
        case Text(data):
            return _message(state, data, now)
        case Binary():
            return _message(state, None, now)
        case SignOfLife():
            return _sign_of_life(state, now)
        case Tick():
            return _tick(state, now)


def _message(state: SessionState, text: bytes | None, now: float) -> tuple[SessionState, tuple[Effect, ...]]:
    state, afforded = _spend(state, now)
    if not afforded:
        # No decoding for one who floods: the cheapest possible answer, and soon none at all.
        wait = round((1.0 - state.allowance) / limits.MESSAGES_PER_SECOND * 1000) + 1
        return _strike(state, limits.CLOSE_TOO_FAST, Refuse(Refusal.TOO_FAST, retry_after_ms=wait))
    if text is None:
        return _strike(state, limits.CLOSE_FORBIDDEN, Refuse(Refusal.BAD_MESSAGE))
    try:
        message = decode_client(text)
    except Refused as refused:
        return _strike(state, limits.CLOSE_FORBIDDEN, Refuse(refused.code, refused.request))
    if isinstance(message, Hello):
        if state.greeted:
            return _strike(state, limits.CLOSE_FORBIDDEN, Refuse(Refusal.ALREADY_GREETED, message.id))
        return replace(state, greeted=True, strikes=0), (Deliver(message),)
    if not state.greeted:
        return _strike(state, limits.CLOSE_FORBIDDEN, Refuse(Refusal.NOT_SIGNED_IN, getattr(message, "id", None)))
    return replace(state, strikes=0) if state.strikes else state, (Deliver(message),)


def _sign_of_life(state: SessionState, now: float) -> tuple[SessionState, tuple[Effect, ...]]:
    """It costs what a message costs, for it is read and mostly answered as one is: nobody sends as many in earnest."""
    state, afforded = _spend(state, now)
    return (state, ()) if afforded else _strike(state, limits.CLOSE_TOO_FAST)


def _spend(state: SessionState, now: float) -> tuple[SessionState, bool]:
    """One message's worth of the allowance, and whether there was so much."""
    left = min(float(limits.MESSAGE_BURST), state.allowance + (now - state.refilled_at) * limits.MESSAGES_PER_SECOND)
    afforded = left >= 1.0
    return replace(state, heard_at=now, refilled_at=now, allowance=left - 1.0 if afforded else left), afforded


def _strike(state: SessionState, code: int, *answer: Refuse) -> tuple[SessionState, tuple[Effect, ...]]:
    state = replace(state, strikes=state.strikes + 1)
    if state.strikes > MAX_STRIKES:
        return state, (Close(code),)
    return state, answer


def due(state: SessionState) -> float:
    """When a `Tick` will next do something, if nothing comes before; what comes can only put it off."""
    if not state.greeted:
        return state.opened_at + limits.HELLO_TIMEOUT_S
    quiet_since = max(state.heard_at, state.pinged_at)
    return min(state.heard_at + limits.CLIENT_SILENCE_S, quiet_since + limits.PING_INTERVAL_S)


def _tick(state: SessionState, now: float) -> tuple[SessionState, tuple[Effect, ...]]:
    if not state.greeted and now - state.opened_at >= limits.HELLO_TIMEOUT_S:
        return state, (Close(limits.CLOSE_HELLO_TIMEOUT),)
    if now - state.heard_at >= limits.CLIENT_SILENCE_S:
        return state, (Close(limits.CLOSE_GOING_AWAY),)
    quiet_since = max(state.heard_at, state.pinged_at)
    if now - quiet_since >= limits.PING_INTERVAL_S:
        return replace(state, pinged_at=now), (SendPing(),)
    return state, ()
