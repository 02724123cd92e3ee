"""What one node has another do with its phones: carried out in the order it was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog

from groups.vocabulary import GroupId, IncidentCode, MonitorScope, Refusal
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.requests import floor
from poc_server.talk.resume import tell_floor
from signaling.messages import FloorRequest, decode_client

if TYPE_CHECKING:
    from poc_server.neighbours.desk.desk import Desk
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.others import Others
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)


def carry_out(others: Others, desk: Desk, neighbour: Neighbour, orders: list[dict[str, Any]], blob: bytes) -> None:
    """What another node has this one do."""
    for order in orders:
        try:
            _carry_out(others, desk, neighbour, order, blob)
        except Exception:
            log.exception("order_failed", order=order.get("do"))  # of a later version, or a fault; the others go on


def _carry_out(others: Others, desk: Desk, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
    do = order["do"]
    if do in _DESK:
        _DESK[do](others, desk, neighbour, order, blob)
        return
    phone = others.node.phones.get(order["to"])
    if phone is not None and not isinstance(phone, FarPhone):  # else it has just gone
        _PHONE[do](others, desk, phone, order, blob)


def _write(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    phone.write(blob)
    desk.asked.unanswered.told(phone, blob)


def _close(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    if phone.connection is not None:
        phone.connection.close(order["code"])


def _bring(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    group = GroupId(order["group"])
    if others.node.roster.group(group) is not None:
        others.node.affiliation.bring(phone, group)
        # The snapshot that goes with it was drawn at the desk, which may not follow this floor.
        tell_floor(others.node.talkgroups.open(group), phone, only_taken=True)


def _let_go(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    others.node.affiliation.let_go(phone, GroupId(order["group"]))


def _affiliate(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    selected = None if order["selected"] is None else GroupId(order["selected"])
    others.node.affiliation.affiliate(phone, selected, [GroupId(group) for group in order["listens"]])


def _monitor(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    phone.scope, phone.hidden = MonitorScope(order["scope"]), order["hidden"]
    # In an upgrade a node of the version before does not say what is beyond the limit.
    phone.beyond = tuple(GroupId(group) for group in order.get("beyond", ()))
    others.node.affiliation.monitor(phone, [GroupId(group) for group in order["groups"]])


def _switch(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    if others.node.incidents is not None:
        group, code = GroupId(order["group"]), IncidentCode(order["incident"])
        # In an upgrade a node of the version before does not say by which change.
        others.node.incidents.switch(phone, group, code, order["title"], order.get("version", 0))


def _end(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    others.node.arrivals.end(phone, Refusal(order["code"]), order["close"])


def _done(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    desk.asked.done(phone, order["number"])


def _press(others: Others, desk: Desk, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    desk.asked.press(phone, cast("FloorRequest", decode_client(blob)))


def _begins_call(others: Others, desk: Desk, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
    """A key went down in a group that is talked in by calls: the desk begins the call, or knows that it runs."""
    node, message = others.node, cast("FloorRequest", decode_client(blob))
    phone, group = node.phones.get(order["key"]), node.roster.group(GroupId(message.group))
    if isinstance(phone, FarPhone) and group is not None and not floor.begins_call(node, phone, group, message):
        phone.press(message)


def _request(others: Others, desk: Desk, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
    desk.requested(neighbour, order, blob)


_PHONE: Mapping[str, Callable[[Any, Any, Any, dict[str, Any], bytes], None]] = {
    "write": _write,
    "close": _close,
    "bring": _bring,
    "let_go": _let_go,
    "affiliate": _affiliate,
    "monitor": _monitor,
    "switch": _switch,
    "end": _end,
    "done": _done,
    "press": _press,
}
_DESK: Mapping[str, Callable[[Any, Any, Any, dict[str, Any], bytes], None]] = {
    "request": _request,
    "begins_call": _begins_call,
}
