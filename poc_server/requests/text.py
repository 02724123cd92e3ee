"""text_send, text_list, text_read, thread_list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from poc_server.requests.waiting import waiting
from signaling.messages import Ok, TextKept, TextList, TextRead, TextSend, ThreadList

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone
    from poc_server.texts import TextDesk


class Writing(Protocol):
    """Where written messages are kept."""

    texts: TextDesk | None


def _desk(node: Writing) -> TextDesk | None:
    return node.texts


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


async def thread_list(desk: TextDesk, phone: Phone, message: ThreadList) -> None:
    """Where there is anything to read."""
    phone.send(await desk.threads(phone, message))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    TextSend: waiting(_desk, text_send),
    TextList: waiting(_desk, text_list),
    TextRead: waiting(_desk, text_read),
    ThreadList: waiting(_desk, thread_list),
}
