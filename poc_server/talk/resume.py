"""What a phone is told that comes back to its place: the floors of its groups, and what its slots carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.vocabulary import BurstId
from signaling.messages import FloorIdle, FloorTaken

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup


def tell_again(node: Node, phone: Phone) -> None:
    """After the `welcome` of a resume. The whole picture of the selected group comes with its `select`.

    Where the media path is new too, the slots are told when it is connected.
    """
    for group in phone.groups:
        talkgroup = node.talkgroups.get(group)
        if talkgroup is not None:
            tell_floor(talkgroup, phone)
    node.ears.tell(phone)


def tell_floor(talkgroup: Talkgroup, phone: Phone, *, only_taken: bool = False) -> None:
    """Who has the floor of a group now; with ``only_taken`` nothing when nobody has."""
    now = talkgroup.floor_snapshot()
    if now.burst is None or now.by is None:
        if not only_taken:
            phone.send(FloorIdle(group=talkgroup.id))
    elif talkgroup.talker_key(BurstId(now.burst)) != phone.key:
        options = talkgroup.group.floor
        may_request = (options.queueing or options.audio_cut_in) and talkgroup.may_talk(phone)
        taken = FloorTaken(group=talkgroup.id, burst=now.burst, by=now.by, tier=now.tier, may_request=may_request)
        phone.send(taken)
