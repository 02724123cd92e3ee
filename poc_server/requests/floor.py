"""floor_request, floor_release, floor_queue_position_request, floor_revoke_request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from groups.calls.state import Phase
from groups.floor import inputs as into
from groups.model import Group, Membership
from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import BurstId, DenyCause, GroupId, Refusal, Tier
from poc_server.talk.calls.calls import STANDING
from poc_server.talk.clock import loop_time
from signaling.messages import (
    FloorDeny,
    FloorQueuePositionRequest,
    FloorRelease,
    FloorRequest,
    FloorRevokeRequest,
    Ok,
)

if TYPE_CHECKING:
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.audit import Audit
    from poc_server.talk.calls.calls import Calls
    from poc_server.talk.conditions import Conditions
    from poc_server.talk.patch import Joined
    from poc_server.talk.phone import Phone
    from poc_server.talk.presence import Presence
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups


_NOT_IN_DANGER = frozenset({Refusal.TALK_BANNED, Refusal.RECEIVE_ONLY})
"""What does not hold for one in SOS."""
DISPATCHER_PRIORITY = 200
"""Of one who talks into a group by the right of a dispatcher, not as its member (0–255)."""

DISPATCHER_IN_EMERGENCY = 254
"""Of a dispatcher who talks into a group in emergency: on a phone that has too few slots he goes before a leader."""


class Floors(Protocol):
    """Whose right to talk is judged by what."""

    roster: Roster
    talkgroups: Talkgroups
    joined: Joined
    affiliation: Affiliation
    conditions: Conditions
    presence: Presence
    calls: Calls
    audit: Audit


@dataclass(frozen=True, slots=True)
class _Press:
    """What holds of a phone whose key went down in a group.

    ``place``: from which it talks there; ``refused``: why it may not, if so; ``dispatcher``: one who answers alerts.
    """

    place: Membership
    refused: Refusal | None
    sos: bool
    tier: Tier
    dispatcher: bool


def floor_request(node: Floors, phone: Phone, message: FloorRequest, *, up: bool = False) -> None:
    """Key down: the right is looked up here, the floor is judged by the machine.

    ``up``: the call that this key began runs now; that counts only when the key is still down.
    """
    if up and phone.presses.get(GroupId(message.group)) != message.id:
        return
    phone.presses.pop(GroupId(message.group), None)
    phone.pressed_at = loop_time()
    group = _affiliated(node, phone, message.group, message.id)
    if group is None:
        return
    press = _press(node, phone, group)
    denied = _denied(node, phone, press)
    if denied is not None:
        _deny(phone, message, *denied)
        return
    if node.calls.duplex_of(phone.user.id) is not None:
        node.calls.hang_up_duplex(phone.user.id, phone.key)
    if press.refused is None:
        if not up and begins_call(node, phone, group, message):
            return
        _audit_dispatch(node, phone, group)
    if not _submit(node, phone, group, message, press, up=up):
        _deny(phone, message, DenyCause.NO_RESOURCES, Refusal.NO_RESOURCES)


def _press(node: Floors, phone: Phone, group: Group) -> _Press:
    place, refused = _place(node, phone, group)
    return _Press(
        place,
        refused,
        sos=node.conditions.in_sos(phone.user.id),
        tier=node.conditions.tier(phone.user.id, group.id),
        dispatcher=has(phone.user, Right.ALERTS) and may(Act.DISPATCH, phone.user, group, node.roster) is None,
    )


def _denied(node: Floors, phone: Phone, press: _Press) -> tuple[DenyCause, Refusal] | None:
    """Why the floor need not be asked; what the machine itself denies is not among it."""
    # Neither a ban nor an empty group silences one in danger: what he says is recorded, and others are on their way.
    if press.refused is Refusal.TALK_BANNED and not press.sos:
        return DenyCause.OTHER, Refusal.TALK_BANNED
    if phone.peer is None or not phone.peer.connected:
        return DenyCause.NO_RESOURCES, Refusal.NO_MEDIA_PATH
    if press.tier < Tier.EMERGENCY and node.calls.duplex_of(phone.user.id) is not None:
        return DenyCause.OTHER, Refusal.IN_DUPLEX_CALL
    return None


def _submit(node: Floors, phone: Phone, group: Group, message: FloorRequest, press: _Press, *, up: bool) -> bool:
    """Whether the floor takes the request up."""
    talkgroup = node.talkgroups.floor_of(group.id)
    talkgroup.pressed(phone, group.id)
    # A call that runs has its people, though the word that they are there may be under way from other nodes.
    participants = node.presence.participants(talkgroup) + (not phone.is_in(group.id))
    sos = press.sos
    return talkgroup.submit(
        into.Request(
            user=phone.user.id,
            key=phone.key,
            participants=max(participants, 2 if sos or up else 0),
            request=message.id,
            priority=into.SOS_PRIORITY if sos else _number(node, press, group.id),
            may_talk=press.refused is None
            or (sos and press.refused in _NOT_IN_DANGER and node.conditions.only_talker(group.id) is None),
            may_preempt=press.place.may_preempt,
            tier=press.tier,
            sos=sos,
            dispatcher=press.dispatcher,
        )
    )


def begins_call(node: Floors, phone: Phone, group: Group, message: FloorRequest) -> bool:
    """In a prearranged or broadcast group the key begins the call, and counts as soon as it is up."""
    if group.kind not in STANDING or node.roster.is_transient(group.id):
        return False
    phone.presses[group.id] = message.id
    desk = node.calls.desk
    if desk is not None and not desk.here:
        desk.begins_call(phone, message)
        return True
    live = node.calls.of_group(group.id)
    if live is None:
        live = node.calls.start_standing(phone, group)
    elif live.state.phase is not Phase.SETTING_UP:
        del phone.presses[group.id]
        return False
    live.press(phone, message)
    return True


def _audit_dispatch(node: Floors, phone: Phone, group: Group) -> None:
    """Who talks by the right of a dispatcher, or into several groups at once, is audited."""
    others = [g for g in phone.groups if g != group.id and _talks_in(node, phone, g)]
    if others or node.roster.membership(group.id, phone.user.id) is None:
        node.audit(phone.user, Act.DISPATCH, "group", group.id, {"also_in": others})


def _talks_in(node: Floors, phone: Phone, group: GroupId) -> bool:
    talkgroup = node.talkgroups.get(group)
    return talkgroup is not None and talkgroup.place_of(phone)[0] != "none"


def _place(node: Floors, phone: Phone, group: Group) -> tuple[Membership, Refusal | None]:
    """The place from which a phone talks in a group, a member's or a dispatcher's, and why it may not, if so."""
    membership = node.roster.membership(group.id, phone.user.id)
    only = node.conditions.only_talker(group.id)
    if only is not None and only != phone.user.id:
        return Membership(group.id, phone.user.id, may_talk=False), Refusal.RECEIVE_ONLY
    refused = may(Act.TALK, phone.user, group, node.roster)
    if refused is not None and may(Act.DISPATCH, phone.user, group, node.roster) is None:
        refused = None
        membership = None
    if membership is None:
        membership = Membership(group.id, phone.user.id, may_talk=True, may_preempt=True, priority=DISPATCHER_PRIORITY)
    return membership, refused


def _number(node: Floors, press: _Press, group: GroupId) -> int:
    in_emergency = any(node.conditions.of_group(each) > Tier.NORMAL for each in node.joined.spread(group))
    own = press.place.priority
    return max(own, DISPATCHER_IN_EMERGENCY) if press.dispatcher and in_emergency else own


def floor_release(node: Floors, phone: Phone, message: FloorRelease) -> None:
    """Key up."""
    group = _affiliated(node, phone, message.group, message.id)
    if group is not None:
        if phone.presses.pop(group.id, None) is not None and phone.peer is not None:
            phone.peer.discard_held()
        burst = None if message.burst is None else BurstId(message.burst)
        node.talkgroups.floor_of(group.id).submit(into.Release(phone.user.id, phone.key, message.id, burst))


def queue_position(node: Floors, phone: Phone, message: FloorQueuePositionRequest) -> None:
    """Where am I in the queue?"""
    group = _affiliated(node, phone, message.group, message.id)
    if group is not None:
        node.talkgroups.floor_of(group.id).submit(into.QueuePositionRequest(phone.user.id, phone.key, message.id))


def floor_revoke(node: Floors, phone: Phone, message: FloorRevokeRequest) -> None:
    """A dispatcher takes another's floor away."""
    group = node.roster.group(GroupId(message.group))
    if group is None:
        phone.refuse(Refusal.UNKNOWN_GROUP, message.id)
        return
    refused = may(Act.REVOKE_FLOOR, phone.user, group, node.roster)
    if refused is not None:
        node.audit(phone.user, Act.REVOKE_FLOOR, "group", group.id, {}, refused)
        phone.refuse(refused, message.id)
        return
    talkgroup = node.talkgroups.floor_of(group.id)
    talkers = talkgroup.bursts.speakers()
    # A node without phones of the group does not know who talks there: it says nothing rather than nobody.
    detail = {"talkers": talkers} if talkers else {}
    node.audit(phone.user, Act.REVOKE_FLOOR, "group", group.id, detail)
    if phone.key in talkgroup.phones:
        talkgroup.submit(into.RevokeRequest(phone.user.id, phone.key, message.id))
    else:
        talkgroup.submit(into.RevokeRequest(phone.user.id, phone.key))
        phone.send(Ok(id=message.id))


def _affiliated(node: Floors, phone: Phone, group: str, request: str) -> Group | None:
    key = GroupId(group)
    refused = Refusal.UNKNOWN_GROUP if node.joined.get(key) is not None else node.affiliation.may_hear(phone, key)
    if refused is None and key not in phone.groups:
        refused = Refusal.NOT_SELECTED
    if refused is not None:
        phone.refuse(refused, request)
        return None
    return node.roster.group(key)


def _deny(phone: Phone, message: FloorRequest, cause: DenyCause, code: Refusal) -> None:
    if phone.peer is not None:
        phone.peer.discard_held()
    phone.send(FloorDeny(id=message.id, group=message.group, cause=cause, code=code, message=phone.words(code)))


REQUESTS: dict[type, Callable[[Any, Any, Any], None]] = {
    FloorRequest: floor_request,
    FloorRelease: floor_release,
    FloorQueuePositionRequest: queue_position,
    FloorRevokeRequest: floor_revoke,
}
