"""select, listen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from groups.vocabulary import GroupId
from poc_server.talk import monitoring
from signaling.messages import Listen, Ok, Select, Selected

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone


def select(node: Node, phone: Phone, message: Select) -> None:
    """Affiliate with one group and talk in it."""
    group = GroupId(message.group)
    refused = node.may_hear(phone, group)
    if refused is not None:
        monitoring.refused_hearing(node, phone, group, refused)
        phone.refuse(refused, message.id)
        return
    monitoring.heard_by_office(node, phone, (group,))
    node.affiliate(phone, selected=group, listens=phone.listens)
    node.calls.affiliated(phone, group)
    phone.send(Selected(id=message.id, group=node.snapshot(phone, group)))


def listen(node: Node, phone: Phone, message: Listen) -> None:
    """Replace the list of groups heard beside the selected one; refused as a whole when one may not be heard."""
    wanted = tuple(dict.fromkeys(GroupId(g) for g in message.groups))
    for group in wanted:
        refused = node.may_hear(phone, group)
        if refused is not None:
            monitoring.refused_hearing(node, phone, group, refused)
            phone.refuse(refused, message.id)
            return
    monitoring.heard_by_office(node, phone, wanted)
    node.affiliate(phone, selected=phone.selected, listens=wanted)
    for group in wanted:
        node.calls.affiliated(phone, group)
    phone.send(Ok(id=message.id))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {Select: select, Listen: listen}
