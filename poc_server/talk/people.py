"""Who is at this node now, person by person, whatever number of phones each has."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from groups.vocabulary import GroupId, NotListening, UserId
from poc_server.talk.clock import loop_time

if TYPE_CHECKING:
    from poc_server.talk.conditions import Conditions
    from poc_server.talk.phones import Phones
    from poc_server.talk.talkgroups import Talkgroups


@dataclass(frozen=True, slots=True)
class PersonHere:
    """One person: connected with a phone at least, or in an emergency.

    ``reason``: why no phone of his would hear. ``busy``: in a call, or on the air.
    """

    user: UserId
    online: bool
    listening: bool = False
    busy: bool = False
    reason: NotListening | None = None
    emergency: bool = False
    selected: GroupId | None = None
    talking_in: GroupId | None = None


def on_air(talkgroups: Talkgroups) -> dict[UserId, GroupId]:
    """Who talks, and in which group, of the groups that this node hears."""
    return {
        each.on_air.talker.id: group
        for group, talkgroup in talkgroups.items()
        for each in tuple(talkgroup.bursts.here.values())
    }


def people_here(phones: Phones, talkgroups: Talkgroups, conditions: Conditions) -> Iterator[PersonHere]:
    """Everybody with a connected phone on this node, and those in an SOS without one.

    Each as he is when it is his turn: a reader of thousands may let other work go first in between.
    """
    talking = {phone.user.id: phone.away.talking for phone in phones.values() if phone.away and phone.away.talking}
    talking |= on_air(talkgroups)
    # What a phone was brought into is a call, ordinary or for an emergency; every node knows it of every phone.
    engaged = {phone.user.id for phone in phones.values() if phone.connection is not None and phone.brought}
    for user in dict.fromkeys((*phones.users(), *conditions.in_danger())):
        connected = [phone for phone in phones.of(user) if phone.connection is not None]
        emergency = conditions.in_sos(user)
        if not connected:
            if emergency:
                yield PersonHere(user, online=False, emergency=True)
            continue
        now = loop_time()
        hears = next((phone for phone in connected if phone.would_hear(now)), None)
        phone = hears or connected[0]
        yield PersonHere(
            user,
            online=True,
            listening=hears is not None,
            busy=user in engaged or user in talking,
            reason=None if hears is not None else phone.not_listening,
            emergency=emergency,
            selected=phone.selected,
            talking_in=talking.get(user),
        )
