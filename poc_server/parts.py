"""What a node is made of, and what it needs of the parts that are joined to it later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from groups.model import User
from groups.vocabulary import GroupId, IncidentCode
from poc_server.media.edge import MediaEdge
from poc_server.metrics import Metrics
from poc_server.store.journal import Record
from poc_server.store.places import Place
from poc_server.talk.burst import BurstListener
from poc_server.talk.settings import TalkSettings
from signaling.messages import IceServer, IncidentSummary
from signaling.messages.incident import Tap

if TYPE_CHECKING:
    from poc_server.auth import Auth
    from poc_server.fabric.interface import Fabric
    from poc_server.store.directory import Directory


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node is made of."""

    directory: Directory
    auth: Auth
    fabric: Fabric
    media: MediaEdge
    metrics: Metrics
    ice_servers: Callable[[str], list[IceServer]]
    burst_listeners: tuple[BurstListener, ...] = ()
    journal: Callable[[Record], None] = lambda _: None
    places: Callable[[], Iterable[Place]] = tuple
    talk: TalkSettings = field(default_factory=TalkSettings)
    name: str = "node"


class IncidentDesk(Protocol):
    """Where incidents are kept (`poc_server.bridge`)."""

    async def of_user(self, user: User, limit: int) -> list[IncidentSummary]:
        """The incidents that matter to a user, at most ``limit``. Refuses while SQL is away."""

    async def report(self, user: User, code: IncidentCode, tap: Tap) -> object:
        """A tap of an officer; returns when it is kept. Refuses one who is not a member."""

    def joined(self, user: User, group: GroupId) -> None:
        """A user affiliated with a group that may be an incident's."""
