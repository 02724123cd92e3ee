"""What phones of this node lost of a broadcast, as their RTCP says: receipts are judged at the desk, elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.vocabulary import GroupId
from poc_server.talk.clock import loop_time

if TYPE_CHECKING:
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.talk.phone import Phone

KEPT_BROADCASTS = 32


class Losses:
    """Of the latest broadcasts that were heard here."""

    def __init__(self, node: ThisNode) -> None:
        self._node = node
        self._before: dict[GroupId, tuple[float, dict[str, int]]] = {}

    def begun(self, group: GroupId) -> None:
        """A burst begins in ``group``; only in a broadcast's one talks alone."""
        talkgroup = self._node.talkgroups.get(group)
        if talkgroup is None or self._node.conditions.only_talker(group) is None:
            return
        self._before.pop(group, None)
        self._before[group] = loop_time(), {p.key: lost for p in talkgroup.phones.values() if (lost := _lost(p)) >= 0}
        while len(self._before) > KEPT_BROADCASTS:
            self._before.pop(next(iter(self._before)))

    def since(self, phone: Phone) -> int | None:
        """Packets the phone lost since the latest burst of a broadcast it hears began; None without a report of it."""
        for began, before in reversed(self._before.values()):
            if phone.key in before:
                reported = phone.peer is not None and any(slot.report_came > began for slot in phone.peer.slots)
                return max(0, _lost(phone) - before[phone.key]) if reported else None
        return None


def _lost(phone: Phone) -> int:
    """All it ever lost on this connection, -1 without one."""
    return -1 if phone.peer is None else sum(slot.total_lost for slot in phone.peer.slots)
