"""Requests that wait for SQL: carried out beside the socket, up to their first wait in the socket's own order."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from groups.vocabulary import Refusal

if TYPE_CHECKING:
    from poc_server.talk.later import Later
    from poc_server.talk.phone import Phone


class Desk(Protocol):
    """Who answers when SQL has."""

    @property
    def later(self) -> Later:
        """Its work under way."""


N = TypeVar("N")
D = TypeVar("D", bound=Desk)


def waiting(
    desk_of: Callable[[N], D | None], work: Callable[[D, Phone, Any], Coroutine[Any, Any, None]]
) -> Callable[[N, Phone, Any], None]:
    """The request that ``work`` answers at a desk, a refusal too; ``unavailable`` where there is none."""

    def begin(node: N, phone: Phone, message: Any) -> None:
        desk = desk_of(node)
        if desk is None:
            phone.refuse(Refusal.UNAVAILABLE, message.id)
        else:
            desk.later.answer(phone, message.id, work(desk, phone, message))

    return begin
