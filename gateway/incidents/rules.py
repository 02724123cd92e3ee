"""No channel flood: which incidents come forward by themselves, on whose phones, and whose matter they are.

A city files hundreds of cases a day, nearly all litter and potholes. Each has an address; only what a rule names
rings. The rules are the operator's; the default names sudden incidents (突发事件), urgent and supervised ones (督办).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from pydantic import BaseModel, ConfigDict

from gateway.incidents.case_code import parse
from gateway.incidents.incident import Incident, Kind, State
from groups.vocabulary import Tier

SUDDEN_CLASSES = ("04",)
"""Major classes of events that are sudden incidents where the case system sets no flag."""


NOBODYS = frozenset({State.DRAFT, State.REPORTED, State.FILED, State.CLOSED, State.EVALUATED, State.VOID})
"""States in which a case is no officer's matter: not dispatched yet, or over."""


class Attention(IntEnum):
    """How far an incident comes forward by itself."""

    QUIET = 0
    """It has an address; it is found by looking for it."""
    TOLD = 1
    """It appears on its members' pages with a tone."""
    SWITCHED = 2
    """Its members' phones select it, where that disturbs nobody."""


class Rule(BaseModel):
    """What it matches: every condition given must hold. Lists hold what is accepted; empty accepts all."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attention: Attention
    urgent: bool | None = None
    sudden: bool | None = None
    supervised: bool | None = None
    kinds: tuple[Kind, ...] = ()
    majors: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()

    def matches(self, incident: Incident) -> bool:
        """Whether every condition holds for ``incident``."""
        flags = (
            (self.urgent, incident.urgent),
            (self.sudden, incident.sudden),
            (self.supervised, incident.supervised),
        )
        kind, major = _classes(incident)
        words = (
            (self.kinds, kind),
            (self.majors, major),
            (self.levels, incident.level),
            (self.sources, incident.source),
        )
        return all(wanted is None or wanted == is_so for wanted, is_so in flags) and all(
            not accepted or word in accepted for accepted, word in words
        )


class Rules(BaseModel):
    """The operator's rules, the first that matches decides; none: quiet."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    rules: tuple[Rule, ...] = (
        Rule(attention=Attention.SWITCHED, sudden=True),
        Rule(attention=Attention.SWITCHED, kinds=(Kind.EVENT,), majors=SUDDEN_CLASSES),
        Rule(attention=Attention.SWITCHED, urgent=True),
        Rule(attention=Attention.SWITCHED, supervised=True),
    )

    def attention(self, incident: Incident) -> Attention:
        """How far ``incident`` comes forward."""
        found = next((rule for rule in self.rules if rule.matches(incident)), None)
        return found.attention if found else Attention.QUIET


class Stays(StrEnum):
    """Why a phone is not switched though the rule would."""

    TALKING = "talking"
    WAITING = "waiting"
    EMERGENCY = "emergency"
    IN_CALL = "in_call"
    THERE_ALREADY = "there_already"
    AWAY = "away"


@dataclass(frozen=True, slots=True)
class Phone:
    """What must be known of a phone before it may be switched."""

    connected: bool = True
    selected: str | None = None
    has_floor: bool = False
    queued: bool = False
    tier: Tier = Tier.NORMAL
    group_tier: Tier = Tier.NORMAL
    in_private_call: bool = False


def stays(phone: Phone, group: str) -> Stays | None:
    """Why ``phone`` must not be switched to ``group`` now; None when it may be.

    Never switched: one who talks, one who waits, one in an emergency or imminent peril of his own or of the group
    he has selected, one in a private call.
    """
    if not phone.connected:
        return Stays.AWAY
    if phone.selected == group:
        return Stays.THERE_ALREADY
    if phone.has_floor:
        return Stays.TALKING
    if phone.queued:
        return Stays.WAITING
    if phone.tier > Tier.NORMAL or phone.group_tier > Tier.NORMAL:
        return Stays.EMERGENCY
    return Stays.IN_CALL if phone.in_private_call else None


def _classes(incident: Incident) -> tuple[Kind | None, str]:
    """Kind and major class as they were told; where nothing was, as a code of the standard tells them."""
    if incident.kind is None and not incident.major and (told := parse(incident.code)):
        return told.kind, told.major
    return incident.kind, incident.major
