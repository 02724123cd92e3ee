"""What a node is made of: opened before it by `poc_server.app`, or left at these defaults by a test."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from poc_server.ground.metrics import Metrics
from poc_server.media.edge import MediaEdge
from poc_server.store.journal import Record
from poc_server.store.places import Place
from poc_server.talk.burst import BurstListener
from poc_server.talk.settings import TalkSettings
from signaling.messages import IceServer

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
