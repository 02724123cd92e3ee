"""What dispatchers act on beside talk itself: people, their phones, what is monitored and joined."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from poc_server.emergency import Emergency
    from poc_server.fabric.interface import Fabric
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.arrivals import Arrivals
    from poc_server.talk.audit import Audit
    from poc_server.talk.following import Following
    from poc_server.talk.monitoring import Monitoring
    from poc_server.talk.patch import Joined
    from poc_server.talk.patches import Patches
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups


class Field(Protocol):
    """The field, as the desk of the dispatchers sees it (`poc_server.node`)."""

    roster: Roster
    phones: Phones
    talkgroups: Talkgroups
    arrivals: Arrivals
    following: Following
    affiliation: Affiliation
    monitoring: Monitoring
    joined: Joined
    patches: Patches
    audit: Audit
    fabric: Fabric
    emergency: Emergency | None
