"""What the incident machine asks of its surroundings."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from pydantic import JsonValue

from gateway.incidents.incident import Party
from gateway.incidents.limits import Lamp
from gateway.incidents.rules import Attention
from groups.vocabulary import GroupId, UserId


class Address(StrEnum):
    """What an incident's group address is."""

    NONE = "none"
    """Never dispatched: there is no group."""
    OPEN = "open"
    """Its members may talk there. Costs nothing until the first press."""
    PARKED = "parked"
    """Nobody talks there for the while: suspended (挂账), or sent back and not dispatched anew."""
    CLOSING = "closing"
    """The case is closed; talk may end within the hang time."""
    FROZEN = "frozen"
    """It stays readable, and no one talks there again."""
    ARCHIVED = "archived"
    """Frozen so long ago that its group is in nobody's way any more: out of the directory, found by search."""
    REMOVED = "removed"
    """The case is void: the address is gone; what was recorded stays."""


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """The incident's group is now to be as ``address`` says, under ``name``; whatever it was."""

    address: Address
    name: str


@dataclass(frozen=True, slots=True)
class ResolveParties:
    """Ask the directory who these are now, and feed `MembersResolved`."""

    parties: tuple[Party, ...]


@dataclass(frozen=True, slots=True)
class MembersChanged:
    """The group's members are now ``members``."""

    members: frozenset[UserId]
    joined: frozenset[UserId]
    left: frozenset[UserId]


@dataclass(frozen=True, slots=True)
class BringForward:
    """Tell these users of the incident, or switch their phones where `rules.stays` has nothing against it."""

    users: frozenset[UserId]
    attention: Attention


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """Existing groups that belong to the incident by hand."""

    groups: frozenset[GroupId]


@dataclass(frozen=True, slots=True)
class LampChanged:
    """The lamp shows another colour."""

    lamp: Lamp


class EventType(StrEnum):
    """What is told to other systems; the CloudEvents type is ``poc.incident.`` and this."""

    OPENED = "group.opened"
    PARKED = "group.parked"
    CLOSED = "group.closed"
    REMOVED = "group.removed"
    MEMBERS = "members.changed"
    JOINED = "member.joined"
    BURST = "burst.recorded"
    EMERGENCY = "emergency"
    PHOTO = "photo"
    NOTE = "note"
    ACCEPTED = "officer.accepted"
    ON_THE_WAY = "officer.on_the_way"
    ON_SCENE = "officer.on_scene"
    DONE = "officer.done"


@dataclass(frozen=True, slots=True)
class EventOut:
    """An event for the outbox, in the same transaction as the fact. ``id`` is the same however often it is made."""

    id: str
    type: EventType
    at: int
    data: dict[str, JsonValue] = field(default_factory=dict)


class WhyDiscarded(StrEnum):
    """Why an input changed nothing."""

    REPEATED = "repeated"
    OLD = "old"
    NOT_LATER = "not_later"
    TAKEN_BACK = "taken_back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Discarded:
    """The input is known already, or older than what may still be put in order."""

    id: str
    why: WhyDiscarded


@dataclass(frozen=True, slots=True)
class Rivals:
    """Two different messages carry the same version: the one done later counts as the later, whichever came first."""

    id: str
    known: str
    version: int


Effect = (
    AddressChanged
    | ResolveParties
    | MembersChanged
    | BringForward
    | LinkChanged
    | LampChanged
    | EventOut
    | Discarded
    | Rivals
)
