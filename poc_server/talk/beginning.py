"""What a call is besides its state, and where calls are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from groups.calls.state import CallKind
from groups.model import User
from groups.vocabulary import CallId, GroupId, UserId

if TYPE_CHECKING:
    from poc_server.fabric.interface import Fabric
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a call is besides its state.

    Attributes:
        called: at its start.
        standing: its group is there without it.
        asked: the phone it was asked for from, and the id of its request.
    """

    id: CallId
    group: GroupId
    kind: CallKind
    initiator: User
    name: str
    called: tuple[UserId, ...] = ()
    standing: bool = False
    asked: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class CallCity:
    """Where calls are made: the people, their phones, and the groups they talk in."""

    fabric: Fabric
    roster: Roster
    phones: Phones
    talkgroups: Talkgroups
    affiliation: Affiliation
