"""The other nodes, as those parts reach them that speak with them (`poc_server.neighbours.elsewhere`)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import GroupId

if TYPE_CHECKING:
    from poc_server.fabric.redis import RedisFabric
    from poc_server.neighbours.known.far_phone import FarPhone
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.this_node import ThisNode


class Others(Protocol):
    """This node and the others.

    Attributes:
        me: this node, and which of its lives this is.
        beat_s: how often each node gives a sign of life.
    """

    node: ThisNode
    fabric: RedisFabric
    me: str
    nodes: dict[str, Neighbour]
    beat_s: float

    def order(self, to: Neighbour, what: dict[str, Any], blob: bytes) -> None:
        """Let another node do something, in order."""

    def say(self, topic: str, value: Any) -> None:
        """To all, now."""

    def flush_soon(self) -> None:
        """What is to be told goes out at the end of this turn of the loop."""

    def placed(self, phone: FarPhone, before: Iterable[GroupId], after: Iterable[GroupId]) -> None:
        """A phone of another node hears other groups now, or none."""
