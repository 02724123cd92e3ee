"""What a phone is told that comes back to its place: the floors of its groups, and what its slots carry."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.vocabulary import BurstId
from signaling.messages import FloorIdle, FloorTaken

if TYPE_CHECKING:
    from poc_server.talk.ears import Ears
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup
    from poc_server.talk.talkgroups import Talkgroups


def tell_again(talkgroups: Talkgroups, ears: Ears, phone: Phone) -> None:
    """After the `welcome` of a resume. The whole picture of the selected group comes with its `select`.

    Where the media path is new too, the slots are told when it is connected.
    """
    for group in phone.groups:
        talkgroup = talkgroups.get(group)
        if talkgroup is not None:
            tell_floor(talkgroup, phone)
    ears.tell(phone)


def tell_floor(talkgroup: Talkgroup, phone: Phone, *, only_taken: bool = False) -> None:
    """Who has the floor of a group now; with ``only_taken`` nothing when nobody has."""
    now = talkgroup.floor_snapshot()
    if now.burst is None or now.by is None:
        if not only_taken:
            phone.send(FloorIdle(group=talkgroup.id))
    elif talkgroup.bursts.talker_key(BurstId(now.burst)) != phone.key:
        options = talkgroup.group.floor
        may_request = (options.queueing or options.audio_cut_in) and talkgroup.may_talk(phone)
        taken = FloorTaken(group=talkgroup.id, burst=now.burst, by=now.by, tier=now.tier, may_request=may_request)
        phone.send(taken)
