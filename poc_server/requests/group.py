"""select, listen."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import GroupId
from signaling.messages import Listen, Ok, Select, Selected

if TYPE_CHECKING:
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.calls.calls import Calls
    from poc_server.talk.monitoring import Monitoring
    from poc_server.talk.overview import Overview
    from poc_server.talk.phone import Phone


class Hearing(Protocol):
    """Who is in which group, and what comes of it."""

    affiliation: Affiliation
    calls: Calls
    monitoring: Monitoring
    overview: Overview


def select(node: Hearing, phone: Phone, message: Select) -> None:
    """Affiliate with one group and talk in it."""
    group = GroupId(message.group)
    refused = node.affiliation.may_hear(phone, group)
    if refused is not None:
        node.monitoring.refused_hearing(phone, group, refused)
        phone.refuse(refused, message.id)
        return
    node.monitoring.heard_by_office(phone, (group,))
    node.affiliation.affiliate(phone, selected=group, listens=phone.listens)
    node.calls.affiliated(phone, group)
    phone.send(Selected(id=message.id, group=node.overview.snapshot(phone, group)))


def listen(node: Hearing, phone: Phone, message: Listen) -> None:
    """Replace the list of groups heard beside the selected one; refused as a whole when one may not be heard."""
    wanted = tuple(dict.fromkeys(GroupId(g) for g in message.groups))
    for group in wanted:
        refused = node.affiliation.may_hear(phone, group)
        if refused is not None:
            node.monitoring.refused_hearing(phone, group, refused)
            phone.refuse(refused, message.id)
            return
    # The whole list is said each time: who left the call of a group stays out of it when he listens to another, too.
    new = [group for group in wanted if group != phone.selected and group not in phone.listens]
    node.monitoring.heard_by_office(phone, wanted)
    node.affiliation.affiliate(phone, selected=phone.selected, listens=wanted)
    for group in new:
        node.calls.affiliated(phone, group)
    phone.send(Ok(id=message.id))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {Select: select, Listen: listen}
