"""What one node has another do with its phones: carried out in the order it was said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import structlog

from groups.vocabulary import GroupId, Refusal
from poc_server.neighbours.far_phone import FarPhone
from poc_server.requests import floor
from poc_server.talk.resume import tell_floor
from signaling.messages import FloorRequest, decode_client

if TYPE_CHECKING:
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.neighbours.neighbour import Neighbour
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)


def carry_out(elsewhere: Elsewhere, neighbour: Neighbour, orders: list[dict[str, Any]], blob: bytes) -> None:
    """What another node has this one do."""
    for order in orders:
        do = order["do"]
        if do in _DESK:
            _DESK[do](elsewhere, neighbour, order, blob)
            continue
        phone = elsewhere.node.phones.get(order["to"])
        if phone is None or isinstance(phone, FarPhone):
            continue  # it has just gone
        try:
            _PHONE[do](elsewhere, phone, order, blob)
        except Exception:
            log.exception("order_failed", order=do)


def _write(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    phone.write(blob)


def _close(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    if phone.connection is not None:
        phone.connection.close(order["code"])


def _bring(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    group = GroupId(order["group"])
    if elsewhere.node.roster.group(group) is not None:
        elsewhere.node.affiliation.bring(phone, group)
        # The snapshot that goes with it was drawn at the desk, which may not follow this floor.
        tell_floor(elsewhere.node.talkgroups.open(group), phone, only_taken=True)


def _let_go(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    elsewhere.node.affiliation.let_go(phone, GroupId(order["group"]))


def _affiliate(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    selected = None if order["selected"] is None else GroupId(order["selected"])
    elsewhere.node.affiliation.affiliate(phone, selected, [GroupId(group) for group in order["listens"]])


def _end(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    elsewhere.node.arrivals.end(phone, Refusal(order["code"]), order["close"])


def _done(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    elsewhere.desk.done(phone, order["number"])


def _press(elsewhere: Elsewhere, phone: Phone, order: dict[str, Any], blob: bytes) -> None:
    elsewhere.desk.press(phone, cast("FloorRequest", decode_client(blob)))


def _begins_call(elsewhere: Elsewhere, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
    """A key went down in a group that is talked in by calls: the desk begins the call, or knows that it runs."""
    node, message = elsewhere.node, cast("FloorRequest", decode_client(blob))
    phone, group = node.phones.get(order["key"]), node.roster.group(GroupId(message.group))
    if isinstance(phone, FarPhone) and group is not None and not floor.begins_call(node, phone, group, message):
        phone.press(message)


def _request(elsewhere: Elsewhere, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
    elsewhere.desk.requested(neighbour, order, blob)


_PHONE: Mapping[str, Callable[[Any, Any, dict[str, Any], bytes], None]] = {
    "write": _write,
    "close": _close,
    "bring": _bring,
    "let_go": _let_go,
    "affiliate": _affiliate,
    "end": _end,
    "done": _done,
    "press": _press,
}
_DESK: Mapping[str, Callable[[Any, Any, dict[str, Any], bytes], None]] = {
    "request": _request,
    "begins_call": _begins_call,
}
