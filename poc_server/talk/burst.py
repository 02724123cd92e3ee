"""A talk burst as those know it who hear it beside the phones: recording, calls, broadcasts, other nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from groups.model import Group, User
from groups.vocabulary import BurstEnd, BurstId, DeviceId, GroupId, Tier, UserId
from poc_server.media.relay import Feed, Route


@dataclass(frozen=True, slots=True)
class BurstMeta:
    """What is known of a talk burst when it begins. Times in ms on the fabric's clock.

    ``hearers``: the members of a group that ends with its call. ``device``: key of the phone, made of what it calls
    itself; ``enrolled``: the device that its sign-in proves, if any.
    """

    burst: BurstId
    group: Group
    talker: User
    device: str
    tier: Tier
    began_ms: int
    hearers: tuple[UserId, ...] = ()
    enrolled: DeviceId | None = None


class BurstTap(Protocol):
    """One burst's own listener beside the phones: sees each packet, and how it ended."""

    def voice(self, packet: Any) -> None:
        """One voice packet; may only append to memory."""

    def end(self, outcome: BurstEnd) -> None:
        """No packet comes any more."""


class BurstListener(Protocol):
    """One who wants to hear every burst of this node's talkers: recording, other nodes, levels."""

    def begin(self, meta: BurstMeta) -> BurstTap | None:
        """A burst begins; None when this one is of no interest."""


class FarVoice(Protocol):
    """Voice between this node and the others (`poc_server.neighbours.voice.between`)."""

    def outward(self, group: GroupId, burst: BurstId) -> BurstTap:
        """The tap of a burst of this node's talker."""

    def inward(self, group: GroupId, burst: BurstId, route: Route) -> Feed:
        """The feed of another node's burst: fills ``route`` until it is over."""

    def begun(self, group: GroupId, burst: BurstId) -> None:
        """The route of another node's burst is open."""


Listeners = Callable[[bool], tuple[BurstListener, ...]]
"""Who hears a burst beside the phones, by whether its talker is on this node."""
