"""A phone of another node as this node sees it: what is sent to it goes there by way of its own node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from groups.model import User
from groups.vocabulary import GroupId, IncidentCode, MonitorScope, NotListening, Refusal
from poc_server.talk.phone import Phone
from signaling.connection import frame
from signaling.messages import Error, FloorRequest, encode
from signaling.words import Language, refusal

if TYPE_CHECKING:
    from pydantic import BaseModel


W = TypeVar("W", bound=StrEnum)
Order = Callable[[dict[str, Any], bytes], None]
"""Lets its node do something: ``(what to do, the bytes that belong to it)``."""
Placed = Callable[["FarPhone", Iterable[GroupId], Iterable[GroupId]], None]
"""``(phone, the groups it was in, those it is in)``."""


class Home(Protocol):
    """The node a phone is on (`poc_server.neighbours.known.neighbour`)."""

    id: str
    phones: dict[str, FarPhone]


class FarConnection:
    """Stands where a local phone has its socket (`signaling.connection.Connection`)."""

    __slots__ = ("_key", "_order", "language")

    def __init__(self, key: str, language: Language, order: Order) -> None:
        self._key = key
        self._order = order
        self.language = language

    def send(self, message: BaseModel) -> None:
        """One message."""
        self.write(frame(message))

    def write(self, framed: bytes) -> None:
        """A message that was framed once for many."""
        self._order({"do": "write", "to": self._key}, framed)

    def refuse(self, code: Refusal, request: str | None = None, retry_after_ms: int | None = None) -> None:
        """A request is refused."""
        self.send(Error(id=request, code=code, message=refusal(code, self.language), retry_after_ms=retry_after_ms))

    def close(self, code: int) -> None:
        """End its socket."""
        self._order({"do": "close", "to": self._key, "code": code}, b"")


@dataclass(eq=False, slots=True)
class FarPhone(Phone):
    """One phone of another node. ``neighbour`` None: its node is dead, and it may come to this one."""

    neighbour: Home | None = None
    order: Order | None = None
    placed: Placed | None = None
    hears: bool = False
    lost: int | None = None
    talking: GroupId | None = None

    def have(self, what: dict[str, Any], blob: bytes = b"") -> None:
        """Let its own node do something with it."""
        if self.neighbour is not None and self.order is not None:
            self.order({**what, "to": self.key}, blob)

    @property
    def away(self) -> FarPhone:
        """Itself: what is to be done with it, its own node does (`poc_server.talk.phone.Away`)."""
        return self

    def affiliate(self, selected: GroupId | None, listens: Iterable[GroupId]) -> None:
        """Its node sets what it talks in and listens to."""
        before = self.groups
        self.selected, self.listens = selected, tuple(listens)
        self._moved(before)
        self.have({"do": "affiliate", "selected": selected, "listens": self.listens})

    def monitor(self, groups: Iterable[GroupId]) -> None:
        """Its node sets what it hears without being there, and its scope."""
        before = self.groups
        self.monitors = tuple(groups)
        self._moved(before)
        told = {"scope": self.scope, "hidden": self.hidden, "groups": self.monitors, "beyond": self.beyond}
        self.have({"do": "monitor", **told})

    def bring(self, group: GroupId) -> None:
        """Its node lets it hear a group before all others."""
        before = self.groups
        self.brought = (group, *(each for each in self.brought if each != group))
        self._moved(before)
        self.have({"do": "bring", "group": group})

    def let_go(self, group: GroupId) -> None:
        """Its node ends that."""
        before = self.groups
        self.brought = tuple(each for each in self.brought if each != group)
        self._moved(before)
        self.have({"do": "let_go", "group": group})

    def switch(self, group: GroupId, code: IncidentCode, title: str, version: int) -> None:
        """Its node brings an incident forward on it, or leaves it in peace."""
        self.have({"do": "switch", "group": group, "incident": code, "title": title, "version": version})

    def end(self, code: Refusal, close_code: int) -> None:
        """Its node disconnects it."""
        self.have({"do": "end", "code": code, "close": close_code})

    def press(self, message: FloorRequest) -> None:
        """The call of a key that went down is up."""
        self.have({"do": "press"}, encode(message))

    def _moved(self, before: tuple[GroupId, ...]) -> None:
        """Where it is counts here at once; its own node says the same a moment later."""
        if self.neighbour is not None and self.placed is not None:
            self.placed(self, before, self.groups)

    def would_hear(self, now: float) -> bool:
        """As its own node says."""
        return self.hears and self.connection is not None


def record_of(phone: Phone, now: float, talking: GroupId | None = None) -> dict[str, Any]:
    """What other nodes are told of a phone of this one; ``talking``: the group its user is on air in."""
    return {
        "user": phone.user.id,
        "session": phone.session,
        "slots": phone.slots,
        "language": phone.language,
        "connected": phone.connection is not None,
        "selected": phone.selected,
        "listens": phone.listens,
        "brought": phone.brought,
        "monitors": phone.monitors,
        "scope": phone.scope,
        "hidden": phone.hidden,
        "hears": phone.would_hear(now),
        "not_listening": phone.not_listening,
        "resume": phone.resume,
        "since": phone.since,
        "resumed": phone.resumed,
        "paths": phone.paths,
        "talking": talking,
        "moves": phone.moves,
    }


def update(phone: FarPhone, user: User, record: dict[str, Any]) -> None:
    """Take over what its node says."""
    phone.user, phone.session, phone.slots = user, record["session"], record["slots"]
    phone.selected = None if record["selected"] is None else GroupId(record["selected"])
    phone.listens = tuple(GroupId(group) for group in record["listens"])
    phone.brought = tuple(GroupId(group) for group in record["brought"])
    phone.monitors = tuple(GroupId(group) for group in record["monitors"])
    phone.scope = _word(MonitorScope, record["scope"]) or MonitorScope.NONE
    phone.hidden, phone.not_listening = record["hidden"], _word(NotListening, record["not_listening"])
    phone.hears, phone.resume, phone.since = record["hears"], record["resume"], record["since"]
    # In an upgrade a node of the version before says none of these.
    phone.paths, phone.talking = record.get("paths", 0), record.get("talking")
    phone.moves = record.get("moves", False)


def _word(kind: type[W], said: Any) -> W | None:
    """None for a word of a later version as well: what counts, whether he would hear, stands beside it."""
    try:
        return kind(said)
    except ValueError:
        return None
