"""call_start, call_accept, call_refuse, call_leave, call_end, call_add."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from groups.calls import inputs as into
from groups.calls.state import Answering, CallKind, CallOptions
from groups.policy import Act, may
from groups.reach import visible
from groups.vocabulary import Refusal, UserId
from poc_server.talk.calls import LiveCall, refusal_of
from signaling.messages import CallAccept, CallAdd, CallEnd, CallLeave, CallRefuse, CallStart, Ok

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone


def call_start(node: Node, phone: Phone, message: CallStart) -> None:
    """Call people; refused as a whole when one of them may not be called."""
    users = tuple(dict.fromkeys(UserId(user) for user in message.users))
    refused = _may_call(node, phone, users) or _may_make(node, phone, message)
    if refused is not None:
        phone.refuse(refused, message.id)
        return
    node.calls.start(
        phone,
        into.Start(
            kind=CallKind(message.kind),
            initiator=phone.user.id,
            key=phone.key,
            called=users,
            reachable=node.calls.reachable(users),
            busy=node.calls.busy(users),
            options=CallOptions(answering=Answering(message.answering)),
            request=message.id,
        ),
        message.name,
    )


def call_accept(node: Node, phone: Phone, message: CallAccept) -> None:
    """Answer."""
    live = _live(node, phone, message.call, message.id)
    if live is not None:
        live.submit(into.Accept(phone.user.id, phone.key, message.id))


def call_refuse(node: Node, phone: Phone, message: CallRefuse) -> None:
    """Refuse."""
    live = _live(node, phone, message.call, message.id)
    if live is not None:
        live.submit(into.Refuse(phone.user.id, phone.key, message.id))


def call_leave(node: Node, phone: Phone, message: CallLeave) -> None:
    """Hang up."""
    live = _live(node, phone, message.call, message.id)
    if live is not None:
        live.submit(into.Leave(phone.user.id, phone.key, message.id))


def call_end(node: Node, phone: Phone, message: CallEnd) -> None:
    """End it for all; a dispatcher may end what is not his (强拆)."""
    live = _live(node, phone, message.call, message.id)
    if live is None:
        return
    group = node.roster.group(live.group)
    own = phone.user.id == live.initiator.id
    forced = not own and group is not None and may(Act.FORCE_END, phone.user, group, node.roster) is None
    live.submit(into.End(forced, phone.user.id, phone.key, message.id))


def call_add(node: Node, phone: Phone, message: CallAdd) -> None:
    """Bring more people in: the initiator by calling them, a dispatcher by his right to pull in (强拉)."""
    live = _live(node, phone, message.call, message.id)
    if live is None:
        return
    users = tuple(dict.fromkeys(UserId(user) for user in message.users))
    own = phone.user.id == live.initiator.id
    refused = _may_call(node, phone, users) if own else _may_call(node, phone, users, Act.PULL_IN)
    if refused is None and live.state.kind is not CallKind.GROUP:
        refused = Refusal.CONFLICT
    if refused is not None:
        phone.refuse(refused, message.id)
        return
    live.submit(into.Add(users, node.calls.reachable(users)))
    phone.send(Ok(id=message.id))


def _live(node: Node, phone: Phone, call: str, request: str) -> LiveCall | None:
    live = node.calls.get(call)
    if refusal_of(live) is not None or live is None or not _seen(node, phone, live):
        phone.refuse(Refusal.CALL_OVER, request)
        return None
    return live


def _seen(node: Node, phone: Phone, live: LiveCall) -> bool:
    """Whether the call exists for this phone: it is in it, or may see its group. Of others' calls it learns nothing."""
    group = node.roster.group(live.group)
    inside = live.state.party(phone.user.id) is not None
    return inside or (group is not None and visible(phone.user, group, node.roster))


def _may_call(node: Node, phone: Phone, users: tuple[UserId, ...], act: Act = Act.CALL) -> Refusal | None:
    for user in users:
        target = node.roster.user(user)
        if target is None:
            return Refusal.UNKNOWN_USER
        if user == phone.user.id:
            continue
        refused = may(act, phone.user, target, node.roster)
        if refused is not None:
            return refused
    return None


def _may_make(node: Node, phone: Phone, message: CallStart) -> Refusal | None:
    """A temporary group needs the right to make groups in one's own unit."""
    if message.kind != "group":
        return None
    unit = node.roster.unit(phone.user.unit)
    return Refusal.NOT_ALLOWED if unit is None else may(Act.MAKE_GROUP, phone.user, unit, node.roster)


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    CallStart: call_start,
    CallAccept: call_accept,
    CallRefuse: call_refuse,
    CallLeave: call_leave,
    CallEnd: call_end,
    CallAdd: call_add,
}
