"""The front desk: a socket before and after its greeting, and the way of its requests to their functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from groups.vocabulary import Refusal
from poc_server.auth import AuthRefused
from poc_server.requests import REQUESTS, ActsOn
from signaling.limits import CLOSE_BAD_TOKEN
from signaling.messages import Bye, Hello
from signaling.words import refusal

if TYPE_CHECKING:
    from groups.model import User
    from poc_server.auth import Auth, Claims
    from poc_server.store.directory import Directory
    from poc_server.talk.arrivals import Arrivals
    from poc_server.talk.phone import Phone
    from signaling.connection import Connection
    from signaling.passing import Address

log = structlog.get_logger(__name__)


def carry_out(node: ActsOn, phone: Phone, message: Any) -> None:
    """Do what a phone's message says; whatever goes wrong is answered with ``internal`` and logged."""
    request = REQUESTS.get(type(message))
    if request is None:
        phone.refuse(Refusal.UNAVAILABLE, getattr(message, "id", None))
        return
    try:
        request(node, phone, message)
    except Exception:
        log.exception("request_failed", type=message.type, user=phone.user.id)
        phone.refuse(Refusal.INTERNAL, getattr(message, "id", None))


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """What every reception of a node needs.

    Attributes:
        received: takes what a phone that was greeted says.
        elsewhere: the node a phone is to be served by: its user, its greeting, the group he will talk in; None: this.
    """

    auth: Auth
    directory: Directory
    arrivals: Arrivals
    received: Callable[[Phone, Any], None]
    elsewhere: Callable[[User, Hello, str], Address | None]


class Reception:
    """Handler of one socket (`signaling.connection.Handler`)."""

    def __init__(self, door: FrontDoor, connection: Connection) -> None:
        self._door = door
        self._connection = connection
        self._phone: Phone | None = None

    def received(self, message: Any) -> None:
        """A valid message; whatever goes wrong in its function is answered with ``internal`` and logged."""
        if isinstance(message, Hello):
            self._greet(message)
            return
        phone = self._phone
        if phone is None or phone.connection is not self._connection:
            self._connection.refuse(Refusal.NOT_SIGNED_IN, getattr(message, "id", None))
            return
        self._door.received(phone, message)

    def closed(self) -> None:
        """The socket is gone; the phone keeps its place for a while."""
        phone = self._phone
        if phone is not None and phone.connection is self._connection:
            self._door.arrivals.dropped(phone)

    def _greet(self, hello: Hello) -> None:
        self._connection.language = hello.client.language
        try:
            claims = self._door.auth.verify_access(hello.token)
        except AuthRefused as refused:
            self._turn_away(hello.id, refused.code)
            return
        user = self._door.directory.user(claims.user)
        if user is None or not user.enabled:
            self._turn_away(hello.id, Refusal.DISABLED)
            return
        there = None if self._connection.settled else self._door.elsewhere(user, hello, self._connection.group)
        if there is None:
            self._welcome(user, claims, hello)
        else:
            self._connection.pass_on(there, partial(self._welcome, user, claims, hello))

    def _welcome(self, user: User, claims: Claims, hello: Hello) -> None:
        self._phone = self._door.arrivals.welcome(self._connection, user, claims, hello)

    def _turn_away(self, request: str, code: Refusal) -> None:
        self._connection.refuse(code, request)
        # An expired token is worth a refresh and another try; nothing else is.
        again = code is Refusal.TOKEN_EXPIRED
        self._connection.send(Bye(code=code, message=refusal(code, self._connection.language), reconnect=again))
        self._connection.close(CLOSE_BAD_TOKEN)
