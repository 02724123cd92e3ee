"""What emergencies act on: the people of the city, their phones, and the groups they talk in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from poc_server.fabric.interface import Fabric
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.arrivals import Arrivals
    from poc_server.talk.burst import BurstListener
    from poc_server.talk.conditions import Conditions
    from poc_server.talk.overview import Overview
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups


class Field(Protocol):
    """The field, as the node that decides about emergencies sees it (`poc_server.node`)."""

    fabric: Fabric
    roster: Roster
    phones: Phones
    arrivals: Arrivals
    talkgroups: Talkgroups
    affiliation: Affiliation
    conditions: Conditions
    overview: Overview
    desk_listeners: list[BurstListener]
