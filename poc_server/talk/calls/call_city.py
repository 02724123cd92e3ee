"""What all calls of a node share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from poc_server.fabric.interface import Fabric
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups


@dataclass(frozen=True, slots=True)
class CallCity:
    """The people, their phones, and the groups they talk in."""

    fabric: Fabric
    roster: Roster
    phones: Phones
    talkgroups: Talkgroups
    affiliation: Affiliation
