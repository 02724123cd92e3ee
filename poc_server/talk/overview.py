"""What a page is shown of groups: those to choose from, and one as it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from groups.model import User
from groups.policy import rights_of
from groups.rights import Right
from groups.vocabulary import GroupId, GroupKind
from signaling.messages import FloorSnapshot, GroupSnapshot, GroupSummary

if TYPE_CHECKING:
    from poc_server.talk.patch import Joined
    from poc_server.talk.phone import Phone
    from poc_server.talk.presence import Presence
    from poc_server.talk.roster import Roster
    from poc_server.talk.settings import TalkSettings
    from poc_server.talk.talkgroups import Talkgroups

_NUMBER = re.compile(r"(\d+|[一二三四五六七八九十]+)")
_NUMERALS = "一二三四五六七八九"


class Overview:
    """Groups as they are shown."""

    def __init__(
        self, roster: Roster, talkgroups: Talkgroups, joined: Joined, presence: Presence, settings: TalkSettings
    ) -> None:
        self._roster = roster
        self._talkgroups = talkgroups
        self._joined = joined
        self._presence = presence
        self._settings = settings

    def rights(self, user: User) -> list[str]:
        """What a page may offer its user: what the operator did not switch on is nobody's right."""
        off = () if self._settings.remote_listening else (Right.REMOTE_LISTENING.value,)
        return [right for right in rights_of(user) if right not in off]

    def to_choose(self, phone: Phone) -> list[GroupSummary]:
        """What a phone chooses from. Groups of incidents may be hundreds: they are asked for by `incident_list`."""
        groups = self.groups_of(phone.user)
        return [g for g in groups if g.kind is not GroupKind.INCIDENT or g.id == phone.selected]

    def groups_of(self, user: User) -> list[GroupSummary]:
        """The groups a user is a member of, the one to select first at the head."""
        out = []
        for key in self._roster.groups_of(user.id):
            group, membership = self._roster.group(key), self._roster.membership(key, user.id)
            if group is not None and group.enabled and membership is not None:
                out.append(
                    GroupSummary(
                        id=group.id,
                        name=group.name,
                        kind=group.kind,
                        may_talk=membership.may_talk,
                        priority=membership.priority,
                        members=len(self._roster.members(group.id)),
                    )
                )
        # Where one can talk first, then the closest circle: the own patrol before the whole city.
        return sorted(out, key=lambda g: (not g.may_talk, g.members, counted(g.name)))

    def snapshot(self, phone: Phone, group: GroupId) -> GroupSnapshot:
        """All a page needs to draw a group it opens. Raises KeyError when there is none."""
        model = self._roster.group(group)
        if model is None:
            raise KeyError(group)
        # A patched group has the floor of its patch.
        talkgroup = self._talkgroups.get(self._joined.of(group) or group)
        counts = self._presence.counts(group)
        yours, position = talkgroup.place_of(phone) if talkgroup else ("none", None)
        return GroupSnapshot(
            id=group,
            name=model.name,
            kind=model.kind,
            floor=talkgroup.floor_snapshot() if talkgroup else FloorSnapshot(state="idle"),
            yours=yours,
            position=position,
            members=counts.members,
            online=counts.online,
            listening=counts.listening,
        )


def counted(name: str) -> tuple[tuple[int, str], ...]:
    """A key to sort names by, as a person counts: 二组 before 三组, 9组 before 10组."""
    return tuple((_value(part), part) if at % 2 else (0, part) for at, part in enumerate(_NUMBER.split(name)))


def _value(number: str) -> int:
    """Of digits, or of numerals up to 九十九; anything else in numerals, 一一 say, is read digit by digit."""
    if number[0] not in _NUMERALS and number[0] != "十":
        return int(number)
    tens, ten, ones = number.partition("十")
    if ten and len(tens) <= 1 and len(ones) <= 1 and ones != "十":
        return 10 * (_NUMERALS.index(tens) + 1 if tens else 1) + (_NUMERALS.index(ones) + 1 if ones else 0)
    return int("".join(str(_NUMERALS.find(each) + 1) for each in number))
