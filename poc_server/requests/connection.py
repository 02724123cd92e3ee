"""answer, ice_restart, listening, ping."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import NotListening, Refusal
from poc_server.media.wire.sdp import SdpRefused
from poc_server.talk.clock import loop_time
from signaling.limits import LISTENING_EXPIRES_S
from signaling.messages import Answer, IceRestart, Listening, Offer, Ok, Ping, Pong

if TYPE_CHECKING:
    from poc_server.fabric.interface import Fabric
    from poc_server.talk.arrivals import Arrivals
    from poc_server.talk.phone import Phone
    from poc_server.talk.presence import Presence


class Line(Protocol):
    """What a phone asks of its own line."""

    arrivals: Arrivals
    presence: Presence
    fabric: Fabric


def answer(node: Line, phone: Phone, message: Answer) -> None:
    """The phone's SDP answer to the newest offer."""
    if phone.peer is None:
        phone.refuse(Refusal.NO_MEDIA_PATH, message.id)
        return
    try:
        phone.peer.answer(message.sdp)
    except SdpRefused:
        phone.refuse(Refusal.BAD_SDP, message.id)
        return
    phone.send(Ok(id=message.id))


def ice_restart(node: Line, phone: Phone, message: IceRestart) -> None:
    """A second offer on the same DTLS association; a phone whose media path is gone gets a whole new one."""
    if phone.peer is None or phone.peer.closed:
        node.arrivals.open_media(phone)
        assert phone.peer is not None  # noqa: S101 - open_media sets it
        phone.send(Offer(id=message.id, sdp=phone.peer.offer))
        return
    phone.send(Offer(id=message.id, sdp=phone.peer.restart_ice()))


def listening(node: Line, phone: Phone, message: Listening) -> None:
    """The phone says whether a burst would be heard; the word expires."""
    before = phone.would_hear(loop_time()), phone.not_listening
    heard = message.state == "yes"
    phone.listening_until = loop_time() + LISTENING_EXPIRES_S if heard else 0.0
    phone.not_listening = None if heard else message.reason or NotListening.HIDDEN
    if (phone.would_hear(loop_time()), phone.not_listening) != before:
        node.presence.phone_changed(phone)


def ping(node: Line, phone: Phone, message: Ping) -> None:
    """A sign of life of the whole path."""
    phone.send(Pong(id=message.id, server_time_ms=node.fabric.now()))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    Answer: answer,
    IceRestart: ice_restart,
    Listening: listening,
    Ping: ping,
}
