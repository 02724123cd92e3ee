"""Text and status messages (短信, 状态) in every group and to one person: kept, and counted until they are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from groups.vocabulary import StatusWord, TextKind
from signaling.limits import MAX_TEXT_CHARS, MAX_TEXTS_LISTED, MAX_THREADS_TOLD
from signaling.messages.base import Id, Message, Name, RequestId
from signaling.messages.group import Person

Text = Annotated[str, StringConstraints(max_length=MAX_TEXT_CHARS)]
Number = Annotated[int, Field(ge=0, le=2**53)]


class TextSend(Message):
    """Write to a ``group`` or to one ``user``: exactly one of the two. Answered by `TextKept`.

    ``message`` is an id made by the client: the same sent again is kept once. ``kind`` ``text`` needs words, ``status``
    a ``status`` (words may go with it), ``callback`` asks to be called back (请回电).
    """

    type: Literal["text_send"] = "text_send"
    id: RequestId
    message: Id
    group: Id | None = None
    user: Id | None = None
    kind: TextKind = TextKind.TEXT
    text: Text = ""
    status: StatusWord | None = None


class TextInfo(Message):
    """One message as it is kept. ``number`` grows by one from message to message of its group, or of two people.

    ``to`` is there when it is between two people, ``group`` when it is in a group.
    """

    id: Id
    group: Id | None = None
    to: Person | None = None
    by: Person
    kind: TextKind
    text: str
    status: StatusWord | None = None
    number: int
    at_ms: int


class TextKept(Message):
    """Answer to `TextSend`: it is kept."""

    type: Literal["text_kept"] = "text_kept"
    id: RequestId
    message: TextInfo


class Texted(Message):
    """A message came, or was sent by another device of this user."""

    type: Literal["texted"] = "texted"
    message: TextInfo


class TextList(Message):
    """The newest messages of a ``group`` or with a ``user``, those before ``before`` when it is given."""

    type: Literal["text_list"] = "text_list"
    id: RequestId
    group: Id | None = None
    user: Id | None = None
    before: Number | None = None
    limit: Annotated[int, Field(ge=1, le=MAX_TEXTS_LISTED)] = 50


class Texts(Message):
    """Answer to `TextList`, oldest first. ``more``: there are older ones."""

    type: Literal["texts"] = "texts"
    id: RequestId
    messages: list[TextInfo]
    unread: int
    more: bool


class TextRead(Message):
    """Everything up to ``number`` was read; it never goes back. Answered by `Ok`; other devices get `TextUnread`."""

    type: Literal["text_read"] = "text_read"
    id: RequestId
    group: Id | None = None
    user: Id | None = None
    number: Number


class Thread(Message):
    """What waits in one group, or from one person. Of a long ``last`` message the first `MAX_LAST_CHARS` stand here."""

    group: Id | None = None
    group_name: Name = ""
    person: Person | None = None
    unread: int
    last: TextInfo | None = None


class ThreadList(Message):
    """The threads of this user, on whatever device he read or wrote there. Answered by `Threads`."""

    type: Literal["thread_list"] = "thread_list"
    id: RequestId


class Threads(Message):
    """Answer to `ThreadList`: read or not, the latest first. ``more``: there are older ones."""

    type: Literal["threads"] = "threads"
    id: RequestId
    threads: Annotated[list[Thread], Field(max_length=MAX_THREADS_TOLD)]
    more: bool


class TextUnread(Message):
    """What waits to be read: after `Welcome` all there is (the latest first), later what changed; ``unread`` 0: none.

    ``all`` False: only those named have changed.
    """

    type: Literal["text_unread"] = "text_unread"
    threads: Annotated[list[Thread], Field(max_length=MAX_THREADS_TOLD)]
    all: bool = False
