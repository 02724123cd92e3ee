"""Orders from node to node arrive once and in order, though a session with Redis may end with some of them under way.

Each is numbered and kept for a while; who sees a gap, at the next order or at the next heartbeat, has it sent again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from poc_server.talk.clock import loop_time

if TYPE_CHECKING:
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.others import Others

AGAIN = "again"
"""Begin again at this number."""
GONE = "gone"
"""What there was up to this number cannot be had any more."""


def channel_of(node: str) -> str:
    """Where a node hears what is meant for it alone."""
    return f"node:{node}"


class Post:
    """Between this node and each other one. ``carry_out``: orders of another node, with their bytes."""

    def __init__(self, others: Others, carry_out: Callable[[Neighbour, list[dict[str, Any]], bytes], None]) -> None:
        self._others = others
        self._carry_out = carry_out

    def send(self, to: Neighbour, orders: list[dict[str, Any]], blob: bytes) -> None:
        """Send orders that belong to the same bytes."""
        to.sent += 1
        to.kept.append((to.sent, self._message({"number": to.sent, "orders": orders}, blob)))
        self._cast(to, to.kept[-1][1])

    def sent(self) -> dict[str, int]:
        """For the heartbeat: the number of the last order to each node."""
        return {each.id: each.sent for each in self._others.nodes.values()}

    def compare(self, neighbour: Neighbour, sent: dict[str, int]) -> None:
        """A heartbeat says how many there should have been."""
        number = sent.get(self._others.me)
        if number is None:
            return
        if neighbour.received is None:
            neighbour.received = number
        elif neighbour.received < number:
            self._ask(neighbour)

    def heard(self, message: bytes) -> None:
        """What another node sent here."""
        sender, head, blob = message.split(b"\n", 2)
        neighbour, said = self._others.nodes.get(sender.decode()), json.loads(head)
        if neighbour is None:
            return
        if AGAIN in said:
            self._again(neighbour, said[AGAIN])
            return
        if GONE in said:
            neighbour.received = said[GONE]
            return
        number = said["number"]
        if neighbour.received is not None and number > neighbour.received + 1:
            self._ask(neighbour)
        elif neighbour.received is None or number == neighbour.received + 1:
            neighbour.received, neighbour.asked_from = number, 0
            self._carry_out(neighbour, said["orders"], blob)

    def _again(self, neighbour: Neighbour, wanted: int) -> None:
        oldest = neighbour.kept[0][0] if neighbour.kept else neighbour.sent + 1
        if oldest > wanted:
            self._cast(neighbour, self._message({GONE: oldest - 1}, b""))
        for number, kept in neighbour.kept:
            if number >= wanted:
                self._cast(neighbour, kept)

    def _ask(self, neighbour: Neighbour) -> None:
        """Once for each gap, and again with each heartbeat while it is there."""
        wanted = (neighbour.received or 0) + 1
        now = loop_time()
        if neighbour.asked_from != wanted or now - neighbour.asked_orders_at > self._others.beat_s:
            neighbour.asked_from, neighbour.asked_orders_at = wanted, now
            self._cast(neighbour, self._message({AGAIN: wanted}, b""))

    def _message(self, head: dict[str, Any], blob: bytes) -> bytes:
        return self._others.me.encode() + b"\n" + json.dumps(head, separators=(",", ":")).encode() + b"\n" + blob

    def _cast(self, to: Neighbour, message: bytes) -> None:
        self._others.fabric.cast(channel_of(to.id), message)
