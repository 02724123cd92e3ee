"""Phones that are, or were, on another node: known here, taken over from there, given up to there."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from groups.floor.inputs import Left, Rejoined
from groups.vocabulary import Refusal, UserId
from poc_server.neighbours.known.far_phone import FarConnection, FarPhone, update
from signaling.limits import CLOSE_REPLACED
from signaling.messages import Bye

if TYPE_CHECKING:
    from poc_server.neighbours.desk.desk import Desk
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.others import Others
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)


def user_of(key: str) -> UserId:
    """The user of a phone's key."""
    return UserId(key.partition("/")[0])


def take(others: Others, desk: Desk, neighbour: Neighbour, key: str, record: dict[str, Any]) -> None:
    """Another node said how a phone of its own is. Where two have the same phone, it is where it came last."""
    try:
        _take(others, desk, neighbour, key, record)
    except Exception:
        log.exception("phone_unreadable", node=neighbour.id)  # of a later version; the others are known even so


def _take(others: Others, desk: Desk, neighbour: Neighbour, key: str, record: dict[str, Any]) -> None:
    node = others.node
    user, known = node.roster.user(UserId(record["user"])), node.phones.get(key)
    if user is None or (known is not None and (known.since, _home(others, known)) > (record["since"], neighbour.id)):
        return
    if known is not None and not isinstance(known, FarPhone):
        give_up(node, known, resumed=record["resumed"])
    if known is not None and known.since != record["since"] and not record["resumed"]:
        began_anew(others, desk, known)
    phone = known if isinstance(known, FarPhone) and known.neighbour is neighbour else None
    came = record["connected"] and (phone is None or phone.connection is None or phone.since != record["since"])
    order = partial(others.order, neighbour)
    before, paths = (set(), 0) if phone is None else (set(phone.groups), phone.paths)
    if phone is None:
        phone = FarPhone(key, user, record["session"], record["slots"], neighbour=neighbour, order=order)
        phone.placed = others.placed
    neighbour.phones[key] = node.phones[key] = phone
    update(phone, user, record)
    others.placed(phone, before, phone.groups)
    phone.connection = None
    if record["connected"]:
        # What a phone of another node needs of a connection is all here.
        phone.connection = FarConnection(key, record["language"], order)  # type: ignore[assignment]
    node.presence.changed(before | set(phone.groups))
    if desk.here:
        if came:
            desk.came(phone)
        for group in set(phone.groups) - before:
            node.calls.affiliated(phone, group)
        if phone.paths != paths:
            node.calls.media(phone)


def _home(others: Others, phone: Phone) -> str:
    """Which node a phone is on: of two that have it since the same millisecond every node takes the same one."""
    if not isinstance(phone, FarPhone):
        return others.me
    return "" if phone.neighbour is None else phone.neighbour.id


def began_anew(others: Others, desk: Desk, phone: Phone) -> None:
    """Somebody came without the place he had: what he was in, he is out of."""
    others.node.phones.drop(phone.key)
    if desk.here:
        others.node.calls.gone(phone)


def take_over(others: Others, desk: Desk, far: FarPhone, phone: Phone, *, resumed: bool) -> None:
    """A phone of another node, alive or dead, came here: it keeps its groups, its place in queues, and its floor."""
    node = others.node
    if far.neighbour is not None:
        far.neighbour.phones.pop(far.key, None)
    groups = far.groups
    if not resumed:
        began_anew(others, desk, far)
        node.phones[phone.key] = phone
    others.placed(far, groups, ())
    if resumed:
        phone.selected, phone.listens, phone.brought, phone.resume = far.selected, far.listens, far.brought, far.resume
        phone.monitors, phone.scope, phone.hidden = far.monitors, far.scope, far.hidden
        node.monitoring.resumed(phone)
        phone.resumed = True
        node.affiliation.follow(phone, set())
    for group in groups:
        talkgroup = node.talkgroups.open(group) if node.roster.group(group) is not None else None
        if talkgroup is not None:
            given = Rejoined(phone.user.id, phone.key) if resumed else Left(phone.user.id, phone.key)
            talkgroup.submit(given)


def give_up(node: ThisNode, phone: Phone, *, resumed: bool) -> None:
    """A phone of this node is on another now, which speaks for its floor and its place in queues."""
    connection, phone.connection = phone.connection, None
    if connection is not None:
        if not resumed:
            connection.send(Bye(code=Refusal.REPLACED, message=phone.words(Refusal.REPLACED), reconnect=False))
        connection.close(CLOSE_REPLACED)
    if not resumed:
        node.monitoring.leaves(phone)
    for group in phone.groups:
        talkgroup = node.talkgroups.get(group)
        if talkgroup is not None:
            talkgroup.phones.pop(phone.key, None)
            if resumed:
                talkgroup.bursts.left(phone.key)
    node.ears.forget(phone)
    if phone.peer is not None:
        phone.peer.close()
        phone.peer = None
    node.phones.drop(phone.key)
