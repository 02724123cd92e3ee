"""floor_request, floor_release, floor_queue_position_request, floor_revoke_request."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from groups.floor import inputs as into
from groups.model import Membership
from groups.policy import Act, may
from groups.vocabulary import BurstId, DenyCause, GroupId, Refusal
from signaling.messages import (
    FloorDeny,
    FloorQueuePositionRequest,
    FloorRelease,
    FloorRequest,
    FloorRevokeRequest,
    Ok,
)

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup


def floor_request(node: Node, phone: Phone, message: FloorRequest) -> None:
    """Key down: the right is looked up here, the floor is judged by the machine."""
    found = _affiliated(node, phone, message.group, message.id)
    if found is None:
        return
    talkgroup, membership = found
    refused = may(Act.TALK, phone.user, talkgroup.group, node.roster)
    if refused is Refusal.TALK_BANNED:
        _deny(phone, message, DenyCause.OTHER, Refusal.TALK_BANNED)
        return
    if phone.peer is None or not phone.peer.connected:
        _deny(phone, message, DenyCause.NO_RESOURCES, Refusal.NO_MEDIA_PATH)
        return
    taken = talkgroup.submit(
        into.Request(
            user=phone.user.id,
            key=phone.key,
            participants=talkgroup.participants(),
            request=message.id,
            priority=membership.priority,
            may_talk=refused is None,
            may_preempt=membership.may_preempt,
        )
    )
    if not taken:
        _deny(phone, message, DenyCause.NO_RESOURCES, Refusal.NO_RESOURCES)


def floor_release(node: Node, phone: Phone, message: FloorRelease) -> None:
    """Key up."""
    found = _affiliated(node, phone, message.group, message.id)
    if found is not None:
        burst = None if message.burst is None else BurstId(message.burst)
        found[0].submit(into.Release(phone.user.id, phone.key, message.id, burst))


def queue_position(node: Node, phone: Phone, message: FloorQueuePositionRequest) -> None:
    """Where am I in the queue?"""
    found = _affiliated(node, phone, message.group, message.id)
    if found is not None:
        found[0].submit(into.QueuePositionRequest(phone.user.id, phone.key, message.id))


def floor_revoke(node: Node, phone: Phone, message: FloorRevokeRequest) -> None:
    """A dispatcher takes another's floor away."""
    group = node.roster.group(GroupId(message.group))
    if group is None:
        phone.refuse(Refusal.UNKNOWN_GROUP, message.id)
        return
    refused = may(Act.REVOKE_FLOOR, phone.user, group, node.roster)
    if refused is not None:
        phone.refuse(refused, message.id)
        return
    node.talkgroup(group.id).submit(into.RevokeRequest(phone.user.id, phone.key))
    phone.send(Ok(id=message.id))


def _affiliated(node: Node, phone: Phone, group: str, request: str) -> tuple[Talkgroup, Membership] | None:
    key = GroupId(group)
    refused = node.may_hear(phone, key)
    if refused is None and key not in phone.groups:
        refused = Refusal.NOT_SELECTED
    membership = node.roster.membership(key, phone.user.id)
    if refused is not None or membership is None:
        phone.refuse(refused or Refusal.NOT_A_MEMBER, request)
        return None
    return node.talkgroup(key), membership


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
