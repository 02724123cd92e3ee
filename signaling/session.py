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
class SignOfLife:
    """A pong or any other control frame came."""


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


Input = Text | SignOfLife | Tick
Effect = Deliver | Refuse | SendPing | Close


def opened(now: float) -> SessionState:
    """State of a socket that was just accepted."""
    return SessionState(opened_at=now, heard_at=now, refilled_at=now, pinged_at=now)


def handle(state: SessionState, given: Input, now: float) -> tuple[SessionState, tuple[Effect, ...]]:
    """One step. Never raises on what a peer sent."""
    match given:
        case Text(data):
            return _text(state, data, now)
        case SignOfLife():
            return replace(state, heard_at=now), ()
        case Tick():
            return _tick(state, now)


def _text(state: SessionState, data: bytes, now: float) -> tuple[SessionState, tuple[Effect, ...]]:
    refilled = min(
        float(limits.MESSAGE_BURST), state.allowance + (now - state.refilled_at) * limits.MESSAGES_PER_SECOND
    )
    if refilled < 1.0:
        # No decoding for one who floods: the cheapest possible answer, and soon none at all.
        state = replace(state, heard_at=now, refilled_at=now, allowance=refilled)
        wait = round((1.0 - refilled) / limits.MESSAGES_PER_SECOND * 1000) + 1
        return _strike(state, Refuse(Refusal.TOO_FAST, retry_after_ms=wait), limits.CLOSE_TOO_FAST)
    state = replace(state, heard_at=now, refilled_at=now, allowance=refilled - 1.0)
    try:
        message = decode_client(data)
    except Refused as refused:
        return _strike(state, Refuse(refused.code, refused.request), limits.CLOSE_FORBIDDEN)
    if isinstance(message, Hello):
        if state.greeted:
            return _strike(state, Refuse(Refusal.ALREADY_GREETED, message.id), limits.CLOSE_FORBIDDEN)
        return replace(state, greeted=True, strikes=0), (Deliver(message),)
    if not state.greeted:
        return _strike(state, Refuse(Refusal.NOT_SIGNED_IN, getattr(message, "id", None)), limits.CLOSE_FORBIDDEN)
    return replace(state, strikes=0) if state.strikes else state, (Deliver(message),)


def _strike(state: SessionState, refuse: Refuse, code: int) -> tuple[SessionState, tuple[Effect, ...]]:
    state = replace(state, strikes=state.strikes + 1)
    if state.strikes > MAX_STRIKES:
        return state, (Close(code),)
    return state, (refuse,)


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
