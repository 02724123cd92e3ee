"""call_start, call_accept, call_refuse, call_leave, call_end, call_add, call_list."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from groups.calls import inputs as into
from groups.calls.state import Answering, CallKind, CallOptions, Part, Phase
from groups.policy import Act, Switches, may
from groups.reach import visible
from groups.rights import Right, has
from groups.vocabulary import GroupId, GroupKind, Refusal, UserId
from poc_server.ground.refused import Refused
from poc_server.talk.calls import people_called
from poc_server.talk.calls.calls import OF_TWO, refusal_of
from poc_server.talk.calls.live_call import LiveCall
from signaling.limits import MAX_CALLS_LISTED
from signaling.messages import CallAccept, CallAdd, CallEnd, CallLeave, CallList, CallRefuse, CallStart, Ok
from signaling.messages import Calls as Listed

if TYPE_CHECKING:
    from poc_server.talk.audit import Audit
    from poc_server.talk.calls.calls import Calls
    from poc_server.talk.phone import Phone
    from poc_server.talk.settings import TalkSettings


NAMED_IN_LIST = 4
"""Parties that a list of calls names of each."""


class Calling(people_called.City, Protocol):
    """Who calls whom, and for how long."""

    calls: Calls
    settings: TalkSettings
    audit: Audit


def call_start(node: Calling, phone: Phone, message: CallStart) -> None:
    """Call people; refused as a whole when one of them may not be called."""
    begun = node.calls.asked_for(phone, message.id, CallKind(message.kind), map(UserId, message.users))
    if begun is not None:
        begun.answer(phone, message.id)
        return
    try:
        _START[message.kind](node, phone, message)
    except Refused as refused:
        phone.refuse(refused.code, message.id)


# --- each way of calling ----------------------------------------------------------------------------------------------


def _private(node: Calling, phone: Phone, message: CallStart) -> None:
    users = _only_users(node, phone, message)
    if message.kind == "private" and len(users) > 1:
        raise Refused(Refusal.BAD_MESSAGE, "one person")
    other = users[0] if message.kind == "private" and users and users[0] != phone.user.id else None
    crossing = None if other is None else node.calls.crossing(phone.user.id, other, duplex=message.duplex)
    if node.calls.duplex_of(phone.user.id) not in (None, crossing):
        raise Refused(Refusal.IN_DUPLEX_CALL)
    if crossing is not None:
        # Two call each other at the same moment: they are in one call.
        crossing.submit(into.Accept(phone.user.id, phone.key))
        crossing.answer(phone, message.id)
        return
    settings = node.settings
    _begin(
        node,
        phone,
        message,
        users,
        CallOptions(
            answering=Answering(message.answering),
            ring_ms=settings.ring_s * 1000,
            hang_ms=None if message.duplex else settings.private_hang_s * 1000,
            maximum_ms=settings.private_maximum_s * 1000,
            duplex=message.duplex,
        ),
    )


def _group(node: Calling, phone: Phone, message: CallStart) -> None:
    """A temporary group (临时组) needs the right to make groups in one's own unit."""
    if message.duplex:
        raise Refused(Refusal.BAD_MESSAGE, "duplex")
    users = people_called.together(node, phone, message)
    unit = node.roster.unit(phone.user.unit)
    refused = Refusal.NOT_ALLOWED if unit is None else may(Act.MAKE_GROUP, phone.user, unit, node.roster)
    detail = {"people": len(users), "groups": message.groups, "name": message.name}
    node.audit(phone.user, Act.MAKE_GROUP, "unit", phone.user.unit, detail, refused)
    if refused is not None:
        raise Refused(refused)
    settings = node.settings
    lasts_s = settings.temporary_maximum_s if message.lasts_s is None else message.lasts_s
    _begin(
        node,
        phone,
        message,
        users,
        CallOptions(
            answering=Answering(message.answering),
            ring_ms=settings.ring_s * 1000,
            hang_ms=settings.temporary_hang_s * 1000,
            maximum_ms=lasts_s * 1000,
        ),
    )


def _standing(node: Calling, phone: Phone, message: CallStart) -> None:
    """The call of a prearranged or broadcast group; who had left it comes in again."""
    if len(message.groups) != 1 or message.users or message.area is not None or message.duplex:
        raise Refused(Refusal.BAD_MESSAGE, "one group")
    group = node.roster.group(GroupId(message.groups[0]))
    if group is None:
        raise Refused(Refusal.UNKNOWN_GROUP)
    refusals = [may(act, phone.user, group, node.roster) for act in (Act.TALK, Act.DISPATCH)]
    if None not in refusals:
        raise Refused(refusals[0] or Refusal.NOT_ALLOWED)
    if group.kind is not GroupKind(message.kind):
        raise Refused(Refusal.CONFLICT, group.kind.value)
    live = node.calls.of_group(group.id)
    if live is None:
        node.calls.start_standing(phone, group, message.id)
    elif live.kind is CallKind.BROADCAST and live.initiator.id != phone.user.id:
        raise Refused(Refusal.CALL_RUNNING)
    else:
        node.calls.affiliated(phone, group.id)
        live.answer(phone, message.id)


def _ambient(node: Calling, phone: Phone, message: CallStart) -> None:
    """Remote listening (远程激活): where the operator switched it on, and audited whether it was allowed or not."""
    users = tuple(UserId(user) for user in message.users)
    if len(users) != 1 or message.groups or message.area is not None or message.duplex:
        raise Refused(Refusal.BAD_MESSAGE, "one person")
    target = node.roster.user(users[0])
    switches = Switches(remote_listening=node.settings.remote_listening)
    refused = Refusal.UNKNOWN_USER
    if target is not None:
        refused_ = may(Act.LISTEN_REMOTELY, phone.user, target, node.roster, switches)
        detail = {"begins": True} if refused_ is None else {}
        node.audit(phone.user, Act.LISTEN_REMOTELY, "user", target.id, detail, refused_)
        if refused_ is None:
            longest = node.settings.remote_listening_s * 1000
            _begin(node, phone, message, users, CallOptions(hang_ms=None, maximum_ms=longest))
            return
        refused = refused_
    raise Refused(refused)


_START: dict[str, Callable[[Any, Any, CallStart], None]] = {
    "private": _private,
    "first_to_answer": _private,
    "group": _group,
    "prearranged": _standing,
    "broadcast": _standing,
    "ambient": _ambient,
}


def _only_users(node: Calling, phone: Phone, message: CallStart) -> tuple[UserId, ...]:
    if message.groups or message.area is not None or (message.duplex and message.kind != "private"):
        raise Refused(Refusal.BAD_MESSAGE, message.kind)
    users = tuple(dict.fromkeys(UserId(user) for user in message.users))
    people_called.named(node, phone, users)
    return users


def _begin(node: Calling, phone: Phone, message: CallStart, users: tuple[UserId, ...], options: CallOptions) -> None:
    node.calls.start(
        phone,
        into.Start(
            kind=CallKind(message.kind),
            initiator=phone.user.id,
            key=phone.key,
            called=users,
            reachable=node.calls.reachable(users),
            busy=node.calls.busy(users) if message.kind != "ambient" else frozenset(),
            deaf=node.calls.deaf(users) if message.kind == "private" else frozenset(),
            options=options,
            request=message.id,
        ),
        message.name,
    )


# --- in a call --------------------------------------------------------------------------------------------------------


def call_accept(node: Calling, phone: Phone, message: CallAccept) -> None:
    """Answer; who is in a full duplex call answers no other one to him: his voice would go to both."""
    live = _live(node, phone, message.call, message.id)
    if live is None:
        return
    if live.kind in OF_TWO and node.calls.duplex_of(phone.user.id) not in (None, live):
        phone.refuse(Refusal.IN_DUPLEX_CALL, message.id)
    else:
        live.submit(into.Accept(phone.user.id, phone.key, message.id))


def call_refuse(node: Calling, phone: Phone, message: CallRefuse) -> None:
    """Refuse."""
    live = _live(node, phone, message.call, message.id)
    if live is not None:
        live.submit(into.Refuse(phone.user.id, phone.key, message.id))


def call_leave(node: Calling, phone: Phone, message: CallLeave) -> None:
    """Hang up."""
    live = _live(node, phone, message.call, message.id)
    if live is not None:
        live.submit(into.Leave(phone.user.id, phone.key, message.id))


def call_end(node: Calling, phone: Phone, message: CallEnd) -> None:
    """End it for all; a dispatcher may end what is not his (强拆)."""
    live = _live(node, phone, message.call, message.id)
    if live is None:
        return
    group = node.roster.group(live.group)
    own = phone.user.id == live.initiator.id
    refused = Refusal.NOT_ALLOWED
    if not own and group is not None:
        refused_ = may(Act.FORCE_END, phone.user, group, node.roster)
        node.audit(phone.user, Act.FORCE_END, "call", live.id, {"group": live.group}, refused_)
        if refused_ is None:
            live.submit(into.End(True, phone.user.id, phone.key, message.id))
            return
        refused = refused_
    if own:
        live.submit(into.End(False, phone.user.id, phone.key, message.id))
    else:
        phone.refuse(refused, message.id)


def call_add(node: Calling, phone: Phone, message: CallAdd) -> None:
    """Bring more people in: the initiator by calling them, a dispatcher by his right to pull in (强拉)."""
    live = _live(node, phone, message.call, message.id)
    if live is None:
        return
    users = tuple(dict.fromkeys(UserId(user) for user in message.users))
    own = phone.user.id == live.initiator.id
    refused: Refusal | None = None
    try:
        people_called.named(node, phone, users, Act.CALL if own else Act.PULL_IN)
        if live.state.kind is not CallKind.GROUP:
            raise Refused(Refusal.CONFLICT)
    except Refused as problem:
        refused = problem.code
    if not own:
        node.audit(phone.user, Act.PULL_IN, "call", live.id, {"users": users}, refused)
    if refused is not None:
        phone.refuse(refused, message.id)
        return
    live.submit(into.Add(users, node.calls.reachable(users)))
    phone.send(Ok(id=message.id))


def call_list(node: Calling, phone: Phone, message: CallList) -> None:
    """The calls this dispatcher may end; who listens remotely to whom is nobody's business but the audit's."""
    if not has(phone.user, Right.FORCE_END):
        phone.refuse(Refusal.NOT_ALLOWED, message.id)
        return
    found = [live for live in node.calls.all() if _may_end(node, phone, live)]
    listed = [live.snapshot(named=NAMED_IN_LIST) for live in found[:MAX_CALLS_LISTED]]
    phone.send(Listed(id=message.id, calls=listed, more=len(found) > MAX_CALLS_LISTED))


def _may_end(node: Calling, phone: Phone, live: LiveCall) -> bool:
    group = node.roster.group(live.group)
    goes_on = live.kind is not CallKind.AMBIENT and live.state.phase is not Phase.ENDED and bool(live.state.parties)
    return goes_on and group is not None and may(Act.FORCE_END, phone.user, group, node.roster) is None


def _live(node: Calling, phone: Phone, call: str, request: str) -> LiveCall | None:
    live = node.calls.get(call)
    if refusal_of(live) is not None or live is None or not _seen(node, phone, live):
        phone.refuse(Refusal.CALL_OVER, request)
        return None
    return live


def _seen(node: Calling, phone: Phone, live: LiveCall) -> bool:
    """Whether the call exists for this phone: it is in it, or may see its group. Of others' calls it learns nothing."""
    if live.hidden_from(phone.user.id):
        return False
    group = node.roster.group(live.group)
    party = live.state.party(phone.user.id)
    inside = party is not None and party.part is not Part.UNREACHABLE
    return inside or (group is not None and visible(phone.user, group, node.roster))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    CallStart: call_start,
    CallAccept: call_accept,
    CallRefuse: call_refuse,
    CallLeave: call_leave,
    CallEnd: call_end,
    CallAdd: call_add,
    CallList: call_list,
}
