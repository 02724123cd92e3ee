"""monitor, patch_start, patch_end, talk_ban, handover_offer, handover_answer, handover_withdraw."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from groups.vocabulary import GroupId, Refusal
from poc_server.refused import Refused
from poc_server.talk import monitoring
from signaling.messages import Monitor, Ok, PatchEnd, PatchStart

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone


def monitor(node: Node, phone: Phone, message: Monitor) -> None:
    """Hear groups without being there."""
    try:
        monitoring.monitor(node, phone, message.scope, message.groups, hidden=message.hidden)
    except Refused as refused:
        phone.refuse(refused.code, message.id)
        return
    phone.send(monitoring.told(node, phone, message.id))


def patch_start(node: Node, phone: Phone, message: PatchStart) -> None:
    """Join groups."""
    try:
        patch = node.patches.start(phone.user, message.groups, message.name)
    except Refused as refused:
        phone.refuse(refused.code, message.id)
        return
    phone.send(patch.message(message.id))


def patch_end(node: Node, phone: Phone, message: PatchEnd) -> None:
    """Take them apart: he who may join these groups."""
    patch = node.patches.get(GroupId(message.patch))
    if patch is None:
        phone.refuse(Refusal.NOT_FOUND, message.id)
        return
    try:
        node.patches.end(phone.user, patch)
    except Refused as refused:
        # Of groups beyond one's reach nothing is told, not even that they are joined.
        unseen = refused.code is Refusal.UNKNOWN_GROUP
        phone.refuse(Refusal.NOT_FOUND if unseen else refused.code, message.id)
        return
    phone.send(Ok(id=message.id))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    Monitor: monitor,
    PatchStart: patch_start,
    PatchEnd: patch_end,
}
