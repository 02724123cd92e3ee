"""One other node: when it was last heard, and what it said of itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from groups.vocabulary import GroupId
from poc_server.neighbours.known.far_phone import FarPhone

KEPT_ORDERS = 1_024


@dataclass(eq=False, slots=True)
class Neighbour:
    """Another node while it lives.

    Attributes:
        id: its name, and which of its lives this is.
        heard_at: loop time of its latest sign of life.
        absent: how often in a row Redis had no connection of it.
        number: of the latest of its messages; a gap means that the whole has to be asked for.
        whole: what it has was told, not only what changed.
        awaited: phones it named then, of which it has yet to say how they are.
        hears: what is said on other nodes comes to it; False while its own way is not open.
        follows: groups it hears.
        directory: version of the people and groups it holds.
        url: where it answers HTTP itself, "" when it did not say.
    """

    id: str
    heard_at: float
    absent: int = 0
    number: int = -1
    whole: bool = False
    awaited: set[str] = field(default_factory=set)
    hears: bool = True
    phones: dict[str, FarPhone] = field(default_factory=dict)
    follows: set[GroupId] = field(default_factory=set)
    directory: int = 0
    url: str = ""
    draining: bool = False
    asked_at: float = 0.0
    sent: int = 0
    """Orders to it so far; the newest are ``kept`` (`poc_server.neighbours.orders.post`)."""
    kept: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=KEPT_ORDERS))
    received: int | None = None
    """Number of its last order that was carried out here."""
    asked_from: int = 0
    asked_orders_at: float = 0.0

    @property
    def known(self) -> bool:
        """Whether all it has is known here."""
        return self.whole and not self.awaited

    @property
    def name(self) -> str:
        """What it is called in each of its lives."""
        return name_of(self.id)


def name_of(node: str) -> str:
    """What a node is called in each of its lives, by its id in this one."""
    return node.rpartition(":")[0]
