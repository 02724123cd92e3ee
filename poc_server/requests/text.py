"""text_send, text_list, text_read."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import Refusal
from signaling.messages import Ok, TextKept, TextList, TextRead, TextSend

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone
    from poc_server.texts import TextDesk

Work = Callable[["TextDesk", "Phone", Any], Coroutine[Any, Any, None]]


class Writing(Protocol):
    """Where written messages are kept."""

    texts: TextDesk | None


def request(work: Work) -> Callable[[Writing, Phone, Any], None]:
    """A request that waits for SQL."""

    def begin(node: Writing, phone: Phone, message: Any) -> None:
        if node.texts is None:
            phone.refuse(Refusal.UNAVAILABLE, message.id)
        else:
            node.texts.later.answer(phone, message.id, work(node.texts, phone, message))

    return begin


async def text_send(desk: TextDesk, phone: Phone, message: TextSend) -> None:
    """Write."""
    phone.send(TextKept(id=message.id, message=await desk.send(phone, message)))


async def text_list(desk: TextDesk, phone: Phone, message: TextList) -> None:
    """Read."""
    phone.send(await desk.list(phone, message))


async def text_read(desk: TextDesk, phone: Phone, message: TextRead) -> None:
    """Say what was read."""
    await desk.read(phone, message)
    phone.send(Ok(id=message.id))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    TextSend: request(text_send),
    TextList: request(text_list),
    TextRead: request(text_read),
}
